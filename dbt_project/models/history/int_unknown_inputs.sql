-- Grain: one row per account of the newest as-of date of this build on which a rule could not be evaluated: what is
-- not known, by the labels of the catalogue, and which input to fetch for it.
with

history as (

    select
        account_id,
        unknown_signals
    from {{ ref('fct_health_history') }}
    where
        as_of_date = {{ as_of_end() }}
        and unknown_signals is not null

),

signals as (

    select
        signals.signal,
        signals.label,
        coalesce(signal_states.unknown_because, 'no value in ' || replace(signals.feeds, ' ', ' and ')) as missing_input
    from {{ ref('signals') }} as signals
    inner join {{ ref('int_signal_states') }} as signal_states
        on signals.signal = signal_states.signal
    where signal_states.as_of_date = {{ as_of_end() }}

),

unknowns as (

    select
        history.account_id,
        signals.missing_input,
        string_agg(signals.label, ', ' order by signals.signal) as labels
    from history
    inner join signals
        on ', ' || history.unknown_signals || ',' like '%, ' || signals.signal || ',%'
    group by history.account_id, signals.missing_input

),

final as (

    select
        account_id,
        string_agg(labels, ', ' order by missing_input) as unknown_labels,
        string_agg(missing_input || ' (' || labels || ')', '; ' order by missing_input) as inputs_to_fetch
    from unknowns
    group by account_id

)

select * from final
