-- Grain: one row per trend of the score over 7 days: how often churn followed within 90 days, and how often the score
-- still was on its side of where it came from 28 days later.
with

trends as (

    select unnest(['declining', 'steady', 'improving']) as trend

),

moves as (

    select
        account_id,
        has_churned_90d as has_churned,
        case
            when score - score_7d_before <= -1 * {{ setting('trend_points') }} then 'declining'
            when score - score_7d_before >= {{ setting('trend_points') }} then 'improving'
            else 'steady'
        end as trend,
        case
            when score - score_7d_before <= -1 * {{ setting('trend_points') }} then score_28d_after < score_7d_before
            when score - score_7d_before >= {{ setting('trend_points') }} then score_28d_after > score_7d_before
        end as has_lasted
    from {{ ref('fct_observations') }}
    where
        left_out_because is null
        and not is_censored_90d
        and score_7d_before is not null

),

accounts as (

    select
        trend,
        account_id,
        count(*) as n,
        count(*) filter (where has_churned) as hits
    from moves
    group by trend, account_id

),

rates as (

    {{ clustered_rates('accounts', ['trend']) }}

),

lasting as (

    select
        trend,
        avg(cast(has_lasted as integer)) as lasted_28d_share
    from moves
    group by trend

),

final as (

    select
        trends.trend,
        coalesce(rates.accounts, 0) as accounts,
        cast(coalesce(rates.n, 0) as bigint) as observations,
        rates.rate as churn_rate_90d,
        rates.ci_low,
        rates.ci_high,
        lasting.lasted_28d_share
    from trends
    left join rates
        on trends.trend = rates.trend
    left join lasting
        on trends.trend = lasting.trend

)

select * from final
