-- Grain: one row per paying account without notice and scored date: the risk by the model, next to the rules' score and
-- bucket. Nothing acts on it. `risk` is null where a signal that the model reads is unknown: the rules' bucket remains.
with

readings as (

    select * from {{ ref('int_model_readings') }}

),

model as (

    select * from {{ ref('risk_model') }}

),

sums as (

    select
        account_id,
        as_of_date,
        case when bool_and(log_odds is not null) then sum(log_odds) end as reasons_log_odds,
        string_agg(signal, ', ' order by signal) filter (where log_odds is null) as unknown_signals
    from readings
    group by account_id, as_of_date

),

scored as (

    select
        sums.account_id,
        sums.as_of_date,
        sums.unknown_signals,
        model.model_version,
        model.horizon_days,
        model.train_until_date,
        model.baseline_log_odds,
        cast(model.baseline_log_odds + sums.reasons_log_odds as decimal(18, 12)) as log_odds
    from sums
    cross join model

),

ranked as (

    select
        *,
        case
            when log_odds is not null
                then rank() over (partition by as_of_date order by log_odds desc nulls last)
        end as risk_rank,
        count(log_odds) over (partition by as_of_date) as accounts_with_risk
    from scored

),

final as (

    select
        -- ids
        ranked.account_id,
        ranked.as_of_date,
        ranked.model_version,

        -- the model
        round(1 / (1 + exp(-cast(ranked.log_odds as double))), 9) as risk,
        ranked.risk_rank,
        cast(ceil(10 * ranked.risk_rank / cast(ranked.accounts_with_risk as double)) as bigint) as risk_tenth,
        ranked.log_odds,
        ranked.baseline_log_odds,
        ranked.unknown_signals,
        ranked.horizon_days,
        ranked.train_until_date,

        -- the rules
        history.rule_set,
        history.score,
        history.model_bucket as bucket
    from ranked
    inner join {{ ref('fct_health_history') }} as history
        on
            ranked.account_id = history.account_id
            and ranked.as_of_date = history.as_of_date

)

select * from final
