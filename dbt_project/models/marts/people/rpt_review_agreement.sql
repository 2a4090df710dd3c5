-- Grain: one row per ISO week with spot checks, and the row `overall` for the newest settings.agreement_weeks of them.
-- Spot checks alone count: they are drawn by chance, while whoever signs off or overrules chose the account.
with

spot_checks as (

    select * from {{ ref('rpt_spot_checks') }}

),

weeks as (

    select
        iso_week,
        row_number() over (order by iso_week desc) as week_age
    from (select distinct iso_week from spot_checks) as drawn_weeks

),

periods as (

    select
        iso_week as period,
        iso_week
    from weeks
    union all
    select
        'overall' as period,
        iso_week
    from weeks
    where week_age <= {{ setting('agreement_weeks') }}

),

counted as (

    select
        periods.period,
        count(distinct spot_checks.iso_week) as weeks,
        count(*) as asked,
        count(spot_checks.verdict) as answered,
        count(*) filter (where spot_checks.verdict = 'agree') as agreed,
        count(*) filter (where spot_checks.verdict = 'disagree') as disagreed
    from periods
    inner join spot_checks
        on periods.iso_week = spot_checks.iso_week
    group by periods.period

),

final as (

    select
        period,
        weeks,
        asked,
        answered,
        agreed,
        disagreed,
        cast(100 * agreed as double) / nullif(answered, 0) as agreed_pct,
        cast(100 * disagreed as double) / nullif(answered, 0) as disagreed_pct,
        answered >= {{ setting('disagreement_least_answers') }}
        and 100 * disagreed > {{ setting('disagreement_limit_pct') }} * answered as is_over_limit
    from counted

)

select * from final
