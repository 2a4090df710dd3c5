-- Grain: one row per account and interval of days (both ends included) over which nothing about its subscriptions
-- changes, for the as-of dates of this build and the 14 days before them (seats are compared with those). Days on
-- which no subscription had started have no row.
with

versions as (

    select
        *,
        greatest(valid_from_date, started_date) as in_force_from_date
    from {{ ref('int_subscription_versions') }}

),

-- a version comes or goes, or a date that is waited for has passed
change_days as (

    select
        account_id,
        {{ add_days(signals_start(), -14) }} as day
    from versions
    union
    select
        account_id,
        in_force_from_date as day
    from versions
    union
    select
        account_id,
        {{ add_days('valid_to_date', 1) }} as day
    from versions
    where valid_to_date < {{ as_of_end() }}
    union
    select
        account_id,
        {{ add_days('period_end_date', 1) }} as day
    from versions
    where period_end_date < {{ as_of_end() }}
    union
    select
        account_id,
        {{ add_days('card_expiry_date', 1) }} as day
    from versions
    where card_expiry_date < {{ as_of_end() }}

),

intervals as (

    select
        account_id,
        day as valid_from_date,
        coalesce(
            {{ add_days('lead(day) over (partition by account_id order by day)', -1) }},
            {{ as_of_end() }}
        ) as valid_to_date
    from change_days
    where day between {{ add_days(signals_start(), -14) }} and {{ as_of_end() }}

),

final as (

    select
        -- ids
        intervals.account_id,
        intervals.valid_from_date,
        intervals.valid_to_date,

        -- state
        count(*) as subscriptions,
        bool_and(versions.status = 'canceled') as is_churned,
        count(*) filter (where versions.has_live_status) as live_subscriptions,
        max_by(versions.plan_id, versions.subscription_id) filter (where versions.has_live_status) as live_plan_id,
        bool_or(versions.is_plan_paid) filter (where versions.has_live_status) as has_paid_plan,
        bool_or(versions.is_plan_paid is null) filter (where versions.has_live_status) as has_unknown_plan,

        -- measures
        sum(versions.seats) filter (where versions.has_live_status) as live_seats,
        sum(versions.mrr_usd) filter (where versions.has_live_status) as live_mrr_usd,

        -- dates
        min(versions.period_end_date) filter (
            where versions.has_live_status and versions.period_end_date >= intervals.valid_from_date
        ) as next_period_end_date,
        min(versions.card_expiry_date) filter (
            where versions.has_live_status and versions.card_expiry_date >= intervals.valid_from_date
        ) as next_card_expiry_date
    from intervals
    inner join versions
        on
            intervals.account_id = versions.account_id
            and intervals.valid_from_date between versions.in_force_from_date and versions.valid_to_date
    group by intervals.account_id, intervals.valid_from_date, intervals.valid_to_date

)

select * from final
