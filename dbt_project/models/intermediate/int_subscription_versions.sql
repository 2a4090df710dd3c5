-- Grain: one row per subscription and version that was in force at the end of some day.
-- A subscription whose first version is already canceled counts as active until it was canceled, so that an
-- extract of latest states alone can be filled backwards.
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
            when is_first_version and status = 'canceled'
                then least(cast(coalesce(canceled_at, updated_at) as date), version_date)
        end as canceled_from_date
    from versions

),

before_cancellation as (

    select
        * replace (
            'active' as status,
            {{ add_days('canceled_from_date', -1) }} as valid_to_date
        )
    from with_cancellation
    where canceled_from_date is not null

),

as_recorded as (

    select * replace (coalesce(canceled_from_date, valid_from_date) as valid_from_date)
    from with_cancellation

),

both_parts as (

    select * from before_cancellation
    union all
    select * from as_recorded

),

final as (

    select
        -- ids
        both_parts.subscription_id,
        both_parts.account_id,
        both_parts.plan_id,

        -- state
        both_parts.status,
        both_parts.status in ('trialing', 'active', 'past_due') as has_live_status,
        plans.is_paid as is_plan_paid,
        both_parts.seats,
        both_parts.mrr_usd,

        -- dates
        cast(both_parts.started_at as date) as started_date,
        cast(both_parts.current_period_end as date) as period_end_date,
        both_parts.card_expires_on as card_expiry_date,
        both_parts.valid_from_date,
        both_parts.valid_to_date
    from both_parts
    left join plans
        on both_parts.plan_id = plans.plan_id

)

select * from final
