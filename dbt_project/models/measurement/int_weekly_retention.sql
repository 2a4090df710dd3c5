-- Grain: one row per week, metric, horizon and account that paid at the start: what became of accounts and their MRR
-- from the start, horizon_days before the week's Monday, until that Monday. Every account of billing counts, also one
-- that was never scored or that had given notice. An account without a known amount at either end has n 0 of the MRR.
with

weeks as (

    select distinct cast(date_trunc('week', as_of_date) as date) as week_start_date
    from {{ ref('int_measured_dates') }}

),

periods as (

    select
        weeks.week_start_date,
        horizons.horizon_days,
        {{ add_days('weeks.week_start_date', '-1 * horizons.horizon_days') }} as start_date
    from weeks
    cross join (select unnest([30, 90, 365]) as horizon_days) as horizons

),

known as (

    select max(known_until_date) as known_until_date from {{ ref('int_measured_dates') }}

),

churned as (

    select distinct
        periods.week_start_date,
        periods.horizon_days,
        outcomes.account_id
    from periods
    inner join {{ ref('fct_outcomes') }} as outcomes
        on
            periods.start_date < outcomes.outcome_date
            and periods.week_start_date >= outcomes.outcome_date
    where outcomes.outcome = 'churn'

),

followed as (

    select
        periods.week_start_date,
        periods.horizon_days,
        at_start.account_id,
        at_start.mrr_usd as mrr_before_usd,
        at_end.mrr_usd as mrr_after_usd,
        at_start.mrr_usd is not null and at_end.mrr_usd is not null as is_mrr_known,
        churned.account_id is not null as has_churned,
        {{ add_days('periods.week_start_date', setting('churn_grace_days')) }} > known.known_until_date as is_open
    from periods
    cross join known
    inner join {{ ref('fct_billing_intervals') }} as at_start
        on periods.start_date between at_start.valid_from_date and at_start.valid_to_date
    inner join {{ ref('fct_billing_intervals') }} as at_end
        on
            at_start.account_id = at_end.account_id
            and periods.week_start_date between at_end.valid_from_date and at_end.valid_to_date
    left join churned
        on
            periods.week_start_date = churned.week_start_date
            and periods.horizon_days = churned.horizon_days
            and at_start.account_id = churned.account_id
    where at_start.is_paying

),

final as (

    select
        week_start_date,
        'logo_churn' as metric,
        horizon_days,
        account_id,
        cast(1 as decimal(18, 6)) as n,
        cast(has_churned as decimal(18, 6)) as hits,
        is_open
    from followed
    where horizon_days in (30, 90)
    union all
    select
        week_start_date,
        'gross_revenue_retention' as metric,
        horizon_days,
        account_id,
        case when is_mrr_known then mrr_before_usd else 0 end as n,
        case when is_mrr_known then least(mrr_before_usd, mrr_after_usd) else 0 end as hits,
        false as is_open
    from followed
    union all
    select
        week_start_date,
        'net_revenue_retention' as metric,
        horizon_days,
        account_id,
        case when is_mrr_known then mrr_before_usd else 0 end as n,
        case when is_mrr_known then mrr_after_usd else 0 end as hits,
        false as is_open
    from followed

)

select * from final
