-- Grain: one row per proposed rule and horizon: what outcomes after train_until say of it. Several rules are tried, so
-- the interval of the lift is one of 99 %: rpt_backtest_rates has that of 95 %, made on the log scale. A lift of 0 has
-- none there: its upper bound is that of Wilson for a rate of 0, by accounts, over the base rate.
{%- set quantile_99 = 'cast(2.5758293035489004 as double)' %}
with

rates as (

    select
        *,
        power(lift_high / nullif(lift, 0), {{ quantile_99 }} / {{ normal_quantile() }}) as spread
    from {{ ref('rpt_backtest_rates') }}
    where
        measure = 'churn_rate'
        and group_name = 'at_risk'
        and slice like 'rule %'

),

base_rates as (

    select
        slice,
        horizon_days,
        rate
    from {{ ref('rpt_backtest_rates') }}
    where
        measure = 'churn_rate'
        and group_name = 'all'

),

bounded as (

    select
        figures.slice,
        figures.horizon_days,
        figures.has_enough_churn,
        figures.churned_accounts,
        coalesce(rates.n, 0) as fired,
        coalesce(rates.hits, 0) as fired_churned,
        rates.rate as churn_rate,
        rates.lift,
        case when rates.lift = 0 then 0 else rates.lift / rates.spread end as lift_low,
        case
            when rates.lift = 0
                then
                    {{ quantile_99 }} * {{ quantile_99 }}
                    / (rates.accounts + {{ quantile_99 }} * {{ quantile_99 }}) / base_rates.rate
            else rates.lift * rates.spread
        end as lift_high
    from {{ ref('calibration_figures') }} as figures
    left join rates
        on
            figures.slice = rates.slice
            and figures.horizon_days = rates.horizon_days
    left join base_rates
        on
            figures.slice = base_rates.slice
            and figures.horizon_days = base_rates.horizon_days
    where figures.slice like 'rule %'

),

final as (

    select
        *,
        replace(slice, 'rule ', '') as rule_id,
        case
            when not has_enough_churn then 'too_few'
            when lift_low > 1 then 'holds'
            when lift_high < 1 then 'against'
            else 'not_shown'
        end as verdict
    from bounded

)

select * from final
