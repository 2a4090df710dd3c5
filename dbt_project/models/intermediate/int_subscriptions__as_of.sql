-- Grain: one row per account and day with a subscription that had started by it, for the as-of dates of this
-- build and the days 14 days before them (seats are compared with those).
with

as_of_dates as (

    select as_of_date from {{ ref('int_as_of_dates') }}

),

dates as (

    select as_of_date from as_of_dates
    union
    select {{ add_days('as_of_date', -14) }} as as_of_date from as_of_dates

),

versions as (

    select * from {{ ref('int_subscription_versions') }}

),

final as (

    select
        -- ids
        versions.account_id,
        dates.as_of_date,

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
            where versions.has_live_status and versions.period_end_date >= dates.as_of_date
        ) as next_period_end_date,
        min(versions.card_expiry_date) filter (
            where versions.has_live_status and versions.card_expiry_date >= dates.as_of_date
        ) as next_card_expiry_date
    from dates
    inner join versions
        on
            dates.as_of_date between versions.valid_from_date and versions.valid_to_date
            and dates.as_of_date >= versions.started_date
    group by versions.account_id, dates.as_of_date

)

select * from final
