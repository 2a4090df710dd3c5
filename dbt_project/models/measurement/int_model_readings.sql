-- Grain: one row per paying account without notice, scored date and signal of the risk model: its value and the step
-- that the value is on. `log_odds` is null where the signal is unknown; a signal that is null by its definition is on
-- the step without a value. No row where no model is in the seeds.
with

accounts as (

    select
        history.account_id,
        history.as_of_date
    from {{ ref('fct_health_history') }} as history
    inner join {{ ref('fct_billing_intervals') }} as states
        on
            history.account_id = states.account_id
            and history.as_of_date between states.valid_from_date and states.valid_to_date
    where
        states.is_paying
        and not states.is_noticed

),

model_signals as (

    select distinct signal from {{ ref('risk_model_steps') }}

),

readings as (

    select
        accounts.account_id,
        accounts.as_of_date,
        model_signals.signal,
        coalesce(signal_values.is_known, false) as is_known,
        case when signal_values.is_known then round(signal_values.value, 6) end as value
    from accounts
    cross join model_signals
    left join {{ ref('fct_signal_values') }} as signal_values
        on
            accounts.account_id = signal_values.account_id
            and accounts.as_of_date = signal_values.as_of_date
            and model_signals.signal = signal_values.signal

),

final as (

    select
        readings.account_id,
        readings.as_of_date,
        readings.signal,
        readings.is_known,
        readings.value,
        steps.step,
        steps.value_from,
        steps.value_below,
        steps.log_odds
    from readings
    left join {{ ref('risk_model_steps') }} as steps
        on
            readings.signal = steps.signal
            and readings.is_known
            and (readings.value is null) = steps.is_without_value
            and coalesce(readings.value >= cast(steps.value_from as double), true)
            and coalesce(readings.value < cast(steps.value_below as double), true)

)

select * from final
