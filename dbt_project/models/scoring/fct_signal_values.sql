-- Grain: one row per scored account, as_of_date and signal.
-- `value` is null where the signal is unknown (is_known false) and where it is null by its definition (is_known true).
-- `observed_at` is when the feeds that it needs last brought a file.
-- depends_on: {{ ref('signals') }}
{% set catalogue = seed_rows('select signal, family from seeds.signals order by signal') -%}
with

signal_states as (

    select * from {{ ref('int_signal_states') }}

),

{% for family in signal_families() %}
{% set signals_of_family = ref('sig_' ~ family) %}
{{ family }}_values as (

    {% for row in catalogue if row['family'] == family %}
    select
        account_id,
        as_of_date,
        '{{ row['signal'] }}' as signal,
        cast({{ row['signal'] }} as double) as value
    from {{ signals_of_family }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{% endfor -%}
all_values as (

    {% for family in signal_families() %}
    select * from {{ family }}_values
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        all_values.account_id,
        all_values.as_of_date,
        all_values.signal,
        all_values.value,
        signal_states.is_known
        and not {{ is_unknown_of_account('unknown_days', 'all_values.signal', is_column=true) }} as is_known,
        signal_states.observed_at
    from all_values
    inner join signal_states
        on
            all_values.as_of_date = signal_states.as_of_date
            and all_values.signal = signal_states.signal
    left join {{ ref('int_account_unknown_days') }} as unknown_days
        on
            all_values.account_id = unknown_days.account_id
            and all_values.as_of_date = unknown_days.as_of_date

)

select * from final
