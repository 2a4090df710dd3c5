-- Grain: one row per account and day on which a paid period ended, as its live subscriptions had it 60 days before, and
-- of which the grace days after it are over: several subscriptions that renew on one day are one renewal.
with

known as (

    select max(as_of_date) as known_until_date from {{ ref('fct_health_history') }}

),

states as (

    select * from {{ ref('fct_billing_intervals') }}

),

period_ends as (

    select
        account_id,
        period_end_date as renewal_date,
        {{ add_days('period_end_date', -60) }} as compared_date,
        {{ add_days('period_end_date', -1) }} as last_paid_date,
        {{ add_days('period_end_date', setting('churn_grace_days')) }} as judged_date,
        count(distinct subscription_id) as subscriptions
    from {{ ref('int_subscription_versions') }}
    where
        has_live_status
        and {{ add_days('period_end_date', -60) }} between greatest(valid_from_date, started_date) and valid_to_date
    group by account_id, period_end_date

),

final as (

    select
        -- ids
        period_ends.account_id,
        period_ends.renewal_date,

        -- what became of it
        case
            when after_grace.is_churned then 'lost'
            when {{ has_contracted('before_renewal.mrr_usd', 'after_grace.mrr_usd') }} then 'contracted'
            when {{ has_expanded('before_renewal.mrr_usd', 'after_grace.mrr_usd') }} then 'expanded'
            when before_renewal.mrr_usd is not null and after_grace.mrr_usd is not null then 'flat'
            else 'unknown'
        end as renewal_result,

        -- measures
        period_ends.subscriptions,
        before_renewal.mrr_usd as mrr_before_usd,
        after_grace.mrr_usd as mrr_after_usd
    from period_ends
    cross join known
    inner join states as before_renewal
        on
            period_ends.account_id = before_renewal.account_id
            and period_ends.compared_date between before_renewal.valid_from_date and before_renewal.valid_to_date
    left join states as last_day
        on
            period_ends.account_id = last_day.account_id
            and period_ends.last_paid_date between last_day.valid_from_date and last_day.valid_to_date
    left join states as after_grace
        on
            period_ends.account_id = after_grace.account_id
            and period_ends.judged_date between after_grace.valid_from_date and after_grace.valid_to_date
    where
        period_ends.judged_date <= known.known_until_date
        and (before_renewal.is_paying or coalesce(last_day.is_paying, false))

)

select * from final
