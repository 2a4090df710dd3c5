-- Grain: one row per paying observation of the accounts that models are fitted to: every signal with a better side, as
-- the risk model reads it, with six decimals. It is null where it is unknown, or by its definition; is_known_<signal>
-- tells these apart, as is_known of fct_signal_values does: a row per signal of so many weeks is more than memory holds.
with

observations as (

    select
        observations.account_id,
        observations.as_of_date
    from {{ ref('fct_observations') }} as observations
    inner join {{ ref('fitted_accounts') }} as accounts
        on observations.account_id = accounts.account_id
    where observations.left_out_because is null

),

signal_states as (

    select
        {%- for signal in var('signals') %}
        bool_or(is_known) filter (where signal = '{{ signal['signal'] }}') as {{ signal['signal'] }},
        {%- endfor %}
        as_of_date
    from {{ ref('int_signal_states') }}
    group by as_of_date

),

known as (

    select
        {%- for signal in var('signals') | map(attribute='signal') %}
        coalesce(signal_states.{{ signal }}, false)
        and not {{ is_unknown_of_account('unknown_days', signal) }} as {{ signal }},
        {%- endfor %}
        observations.account_id,
        observations.as_of_date
    from observations
    left join signal_states
        on observations.as_of_date = signal_states.as_of_date
    left join {{ ref('int_account_unknown_days') }} as unknown_days
        on
            observations.account_id = unknown_days.account_id
            and observations.as_of_date = unknown_days.as_of_date

),

final as (

    select
        {%- for signal in var('signals') %}
        {%- set name = signal['signal'] %}
        case when known.{{ name }} then round(cast({{ signal['family'] }}.{{ name }} as double), 6) end as {{ name }},
        known.{{ name }} as is_known_{{ name }},
        {%- endfor %}
        known.account_id,
        known.as_of_date
    from known
    {%- for family in var('signals') | map(attribute='family') | unique %}
    left join {{ ref('sig_' ~ family) }} as {{ family }}
        on
            known.account_id = {{ family }}.account_id
            and known.as_of_date = {{ family }}.as_of_date
    {%- endfor %}

)

select * from final
