-- Grain: one row per subscription and version that was in force at the end of some day.
-- A subscription whose first version is already canceled counts as active until it was canceled, so that an
-- extract of latest states alone can be filled backwards. Where it was to end with its period, it did so then:
-- canceled_at is when the customer asked for it. From the version's own day on its status is in force. A deleted
-- version counts for the days before it alone, and only where it is the first.
with

subscriptions as (

    select * from {{ ref('stg_billing__subscriptions') }}

),

plans as (

    select * from {{ ref('plans') }}

),

versions as (

    {{ version_intervals('subscriptions', 'subscription_id', 'updated_at') }}

),

with_cancellation as (

    select
        *,
        case
            when is_first_version and status = 'canceled' then least(
                cast(case
                    when cancel_at_period_end and current_period_end > canceled_at then current_period_end
                    else coalesce(canceled_at, updated_at)
                end as date),
                version_date
            )
        end as canceled_from_date,
        case when deleted_date is not null then {{ add_days('deleted_date', -1) }} else valid_to_date end as last_date
    from versions

),

parts as (

    select
        *,
        true as is_before_cancellation
    from with_cancellation
    where canceled_from_date is not null
    union all
    select
        *,
        false as is_before_cancellation
    from with_cancellation

),

stated as (

    select
        *,
        case when is_before_cancellation then 'active' else status end as stated_status
    from parts

),

final as (

    select
        -- ids
        stated.subscription_id,
        stated.account_id,
        stated.plan_id,

        -- state
        stated.stated_status as status,
        stated.stated_status in ('trialing', 'active', 'past_due') as has_live_status,
        plans.is_paid as is_plan_paid,
        stated.seats,
        stated.mrr_usd,
        stated.mrr_in_currency is not null and stated.mrr_usd is null as is_mrr_unknown,
        stated.cancel_at_period_end as is_canceled_at_period_end,

        -- dates
        cast(stated.started_at as date) as started_date,
        cast(stated.current_period_end as date) as period_end_date,
        stated.card_expires_on as card_expiry_date,
        cast(stated.canceled_at as date) as canceled_date,
        case
            when stated.is_before_cancellation then stated.valid_from_date
            else coalesce(stated.canceled_from_date, stated.valid_from_date)
        end as valid_from_date,
        case
            when stated.is_before_cancellation
                then least({{ add_days('stated.canceled_from_date', -1) }}, stated.last_date)
            else stated.last_date
        end as valid_to_date
    from stated
    left join plans
        on stated.plan_id = plans.plan_id

)

select * from final
where valid_from_date <= valid_to_date
