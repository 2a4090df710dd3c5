-- Grain: one row per signal of the risk model: whether its values on the newest scored date are spread as in the weeks
-- that the model was fitted to. psi is the population stability index over the model's steps, an empty step counting as
-- one in 10,000; chance_psi is what so few accounts make of the same distribution on average.
with

readings as (

    select * from {{ ref('int_model_readings') }}
    where as_of_date = (select max(as_of_date) from {{ ref('fct_health_history') }})

),

steps as (

    select * from {{ ref('risk_model_steps') }}

),

counted as (

    select
        signal,
        step,
        count(*) as accounts
    from readings
    where step is not null
    group by signal, step

),

known as (

    select
        signal,
        max(as_of_date) as as_of_date,
        count(*) as accounts,
        count(step) as known_accounts
    from readings
    group by signal

),

shares as (

    select
        steps.signal,
        greatest(cast(steps.trained_pct as double) / 100, 0.0001) as share_then,
        greatest(coalesce(counted.accounts, 0) / cast(nullif(known.known_accounts, 0) as double), 0.0001) as share_now,
        known.known_accounts
    from steps
    inner join known
        on steps.signal = known.signal
    left join counted
        on
            steps.signal = counted.signal
            and steps.step = counted.step

),

shifts as (

    select
        signal,
        round(sum((share_now - share_then) * ln(share_now / share_then)), 9) as psi,
        (count(*) filter (where share_then > 0.0001) - 1) / cast(max(known_accounts) as double) as chance_psi
    from shares
    where known_accounts > 0
    group by signal

),

final as (

    select
        known.signal,
        known.as_of_date,
        known.accounts,
        known.known_accounts,
        shifts.psi,
        shifts.chance_psi,
        case
            when shifts.psi is null then 'unknown'
            when 100 * (shifts.psi - shifts.chance_psi) > {{ setting('model_drift_fit_again') }} then 'fit_again'
            when 100 * (shifts.psi - shifts.chance_psi) > {{ setting('model_drift_moved') }} then 'moved'
            else 'stable'
        end as state
    from known
    left join shifts
        on known.signal = shifts.signal

)

select * from final
