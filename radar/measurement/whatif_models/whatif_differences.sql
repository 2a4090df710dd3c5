-- Grain: one row per horizon and measure (precision and recall of at_risk): before (as recorded), after (the rules that
-- are asked about), and their difference with a 95 % interval, paired by account: both judged the same accounts, so
-- each account's part in one rate is taken from its part in the other before the variance is summed.
with

at_risk as (

    select
        slice,
        horizon_days,
        account_id,
        observations,
        churned
    from {{ ref('int_backtest_accounts') }}
    where group_name = 'at_risk'

),

everything as (

    select
        slice,
        horizon_days,
        account_id,
        churned as all_churned
    from {{ ref('int_backtest_accounts') }}
    where group_name = 'all'

),

counted as (

    select
        'precision' as measure,
        slice,
        horizon_days,
        account_id,
        cast(observations as double) as n,
        cast(churned as double) as hits
    from at_risk
    union all
    select
        'recall' as measure,
        at_risk.slice,
        at_risk.horizon_days,
        at_risk.account_id,
        cast(everything.all_churned as double) as n,
        cast(at_risk.churned as double) as hits
    from at_risk
    inner join everything
        on
            at_risk.slice = everything.slice
            and at_risk.horizon_days = everything.horizon_days
            and at_risk.account_id = everything.account_id

),

rates as (

    select
        measure,
        slice,
        horizon_days,
        sum(n) as n,
        sum(hits) / nullif(sum(n), 0) as rate
    from counted
    group by measure, slice, horizon_days

),

parts as (

    select
        counted.*,
        rates.rate,
        (counted.hits - rates.rate * counted.n) / nullif(rates.n, 0) as part
    from counted
    inner join rates
        on
            counted.measure = rates.measure
            and counted.slice = rates.slice
            and counted.horizon_days = rates.horizon_days

),

paired as (

    select
        measure,
        horizon_days,
        account_id,
        max(rate) filter (where slice = 'champion') as rate_before,
        max(rate) filter (where slice = 'candidate') as rate_after,
        sum(case when slice = 'candidate' then part else -part end) as part
    from parts
    group by measure, horizon_days, account_id

),

summed as (

    select
        measure,
        horizon_days,
        count(*) as accounts,
        max(rate_before) as rate_before,
        max(rate_after) as rate_after,
        max(rate_after) - max(rate_before) as difference,
        {{ normal_quantile() }}
        * sqrt(cast(count(*) as double) / nullif(count(*) - 1, 0) * sum(part * part)) as half_width
    from paired
    group by measure, horizon_days

),

final as (

    select
        measure,
        horizon_days,
        accounts,
        rate_before,
        rate_after,
        difference,
        difference - half_width as difference_low,
        difference + half_width as difference_high
    from summed

)

select * from final
