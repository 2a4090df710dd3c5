-- Grain: one row per slice, horizon and tenth of the observations in the order of their scores, the lowest first: what
-- was observed, never a probability that nobody fitted. Equal scores are together in the last tenth that they reach, so
-- some tenths may be empty.
with

ranked as (

    select
        slice,
        horizon_days,
        account_id,
        score,
        has_churned,
        cume_dist() over (partition by slice, horizon_days order by score) as place
    from {{ ref('int_backtest_observations') }}

),

tenths as (

    select
        *,
        cast(ceil(round(10 * place, 9)) as integer) as tenth
    from ranked

),

accounts as (

    select
        slice,
        horizon_days,
        tenth,
        account_id,
        count(*) as n,
        count(*) filter (where has_churned) as hits
    from tenths
    group by slice, horizon_days, tenth, account_id

),

rates as (

    {{ clustered_rates('accounts', ['slice', 'horizon_days', 'tenth']) }}

),

scores as (

    select
        slice,
        horizon_days,
        tenth,
        min(score) as score_from,
        max(score) as score_to
    from tenths
    group by slice, horizon_days, tenth

),

final as (

    select
        scores.slice,
        scores.horizon_days,
        scores.tenth,
        scores.score_from,
        scores.score_to,
        rates.accounts,
        cast(rates.n as bigint) as observations,
        cast(rates.hits as bigint) as churned,
        rates.rate as churn_rate,
        rates.ci_low,
        rates.ci_high
    from scores
    inner join rates
        on
            scores.slice = rates.slice
            and scores.horizon_days = rates.horizon_days
            and scores.tenth = rates.tenth

)

select * from final
