-- Grain: one row per account and interval of days (both ends included) over which the state of its subscriptions does
-- not change, from the day on which its first subscription started. Days without a row: none had started.
-- The state by billing on any day, also one that was never scored: outcomes are made of it, and of no raw event.
with

versions as (

    select
        *,
        greatest(valid_from_date, started_date) as in_force_from_date,
        status in ('active', 'past_due') and coalesce(is_plan_paid, mrr_usd > 0, is_mrr_unknown, false) as is_paying
    from {{ ref('int_subscription_versions') }}
    where greatest(valid_from_date, started_date) <= valid_to_date

),

change_days as (

    select
        account_id,
        in_force_from_date as day
    from versions
    union
    select
        account_id,
        {{ add_days('valid_to_date', 1) }} as day
    from versions
    where valid_to_date < date '9999-12-31'
    union
    select
        account_id,
        canceled_date as day
    from versions
    where canceled_date between in_force_from_date and valid_to_date

),

intervals as (

    select
        account_id,
        day as valid_from_date,
        coalesce(
            {{ add_days('lead(day) over (partition by account_id order by day)', -1) }},
            date '9999-12-31'
        ) as valid_to_date
    from change_days

),

final as (

    select
        -- ids
        intervals.account_id,
        intervals.valid_from_date,
        intervals.valid_to_date,

        -- state
        bool_and(versions.status = 'canceled') as is_churned,
        bool_or(versions.is_paying) as is_paying,
        coalesce(
            bool_and(
                coalesce(versions.is_canceled_at_period_end, false)
                or coalesce(versions.canceled_date <= intervals.valid_from_date, false)
            ) filter (where versions.has_live_status),
            false
        ) as is_noticed,
        max_by(versions.plan_id, versions.subscription_id) filter (where versions.has_live_status) as live_plan_id,

        -- measures
        case
            when bool_and(versions.mrr_usd is not null or not versions.has_live_status)
                then cast(coalesce(sum(versions.mrr_usd) filter (where versions.has_live_status), 0) as decimal(18, 6))
        end as mrr_usd
    from intervals
    inner join versions
        on
            intervals.account_id = versions.account_id
            and intervals.valid_from_date between versions.in_force_from_date and versions.valid_to_date
    group by intervals.account_id, intervals.valid_from_date, intervals.valid_to_date

)

select * from final
