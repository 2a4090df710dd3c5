-- Grain: one row per paying account without notice, scored date and signal of the risk model: what the signal adds to
-- the account's log-odds. Guarantees that baseline and reasons of an account are its log_odds in rpt_model_scores,
-- exactly: these are decimals, and the score is their sum.
with

readings as (

    select * from {{ ref('int_model_readings') }}

),

final as (

    select
        readings.account_id,
        readings.as_of_date,
        readings.signal,
        signals.label,
        readings.is_known,
        readings.value,
        readings.value_from,
        readings.value_below,
        readings.log_odds,
        row_number() over (
            partition by readings.account_id, readings.as_of_date
            order by readings.log_odds desc nulls last, readings.signal asc
        ) as reason_rank
    from readings
    inner join {{ ref('signals') }} as signals
        on readings.signal = signals.signal

)

select * from final
