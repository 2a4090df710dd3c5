-- Grain: one row per week (its Monday), metric, horizon and slice. A rate is never without what it rests on: n
-- cases of so many accounts, numerator and denominator, and its 95 % interval clustered by account.
-- is_open: the week is too young to judge, or not over; all figures are null then. Amounts are summed as decimals and
-- intervals rounded, because the last digits of a sum of floats depend on its order: the same facts make the same rows.
with

weeks as (

    select distinct cast(date_trunc('week', as_of_date) as date) as week_start_date
    from {{ ref('int_measured_dates') }}

),

cases as (

    select
        week_start_date,
        metric,
        horizon_days,
        'all' as slice,
        account_id,
        cast(n as decimal(18, 6)) as n,
        cast(hits as decimal(18, 6)) as hits,
        is_open
    from {{ ref('int_weekly_outcomes') }}
    union all
    select
        week_start_date,
        metric,
        horizon_days,
        'all' as slice,
        account_id,
        n,
        hits,
        is_open
    from {{ ref('int_weekly_retention') }}
    union all
    select
        week_start_date,
        metric,
        horizon_days,
        slice,
        account_id,
        cast(n as decimal(18, 6)) as n,
        cast(hits as decimal(18, 6)) as hits,
        is_open
    from {{ ref('int_weekly_work') }}
    union all
    select
        week_start_date,
        metric,
        horizon_days,
        'all' as slice,
        account_id,
        cast(n as decimal(18, 6)) as n,
        cast(hits as decimal(18, 6)) as hits,
        is_open
    from {{ ref('int_weekly_outreach') }}

),

accounts as (

    select
        cases.week_start_date,
        cases.metric,
        cases.horizon_days,
        cases.slice,
        cases.account_id,
        sum(cases.n) as n,
        sum(cases.hits) as hits,
        count(*) filter (where cases.n > 0) as cases,
        bool_or(cases.is_open) as is_open
    from cases
    inner join weeks
        on cases.week_start_date = weeks.week_start_date
    group by cases.week_start_date, cases.metric, cases.horizon_days, cases.slice, cases.account_id

),

-- what is a share, and so has an interval; a mean and what may be over 1 has none
shares as (

    select * from accounts
    where metric not in ('net_revenue_retention', 'days_to_first_outreach', 'tasks_per_100_accounts')

),

rates as (

    {{ clustered_rates('shares', ['week_start_date', 'metric', 'horizon_days', 'slice']) }}

),

totals as (

    select
        week_start_date,
        metric,
        horizon_days,
        slice,
        cast(sum(n) as double) as denominator,
        cast(sum(hits) as double) as numerator,
        cast(sum(cases) as bigint) as n,
        count(*) filter (where cases > 0) as accounts,
        bool_or(is_open) as is_open
    from accounts
    group by week_start_date, metric, horizon_days, slice

),

final as (

    select
        -- ids
        totals.week_start_date,
        totals.metric,
        totals.horizon_days,
        totals.slice,

        -- the figure
        totals.is_open,
        case when not totals.is_open then totals.numerator end as numerator,
        case when not totals.is_open then totals.denominator end as denominator,
        case
            when totals.is_open then null
            when totals.metric = 'tasks_per_100_accounts' then 100 * totals.numerator / nullif(totals.denominator, 0)
            else totals.numerator / nullif(totals.denominator, 0)
        end as value,
        case when not totals.is_open then round(rates.ci_low, 9) end as ci_low,
        case when not totals.is_open then round(rates.ci_high, 9) end as ci_high,

        -- what it rests on
        case when not totals.is_open then totals.n end as n,
        case when not totals.is_open then totals.accounts end as accounts
    from totals
    left join rates
        on
            totals.week_start_date = rates.week_start_date
            and totals.metric = rates.metric
            and totals.horizon_days = rates.horizon_days
            and totals.slice = rates.slice

)

select * from final
