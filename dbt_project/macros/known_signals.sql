{# A query of one row per as-of date whose signals this build computes: for each signal named, whether it is known that day. #}
{% macro known_signals(signals) %}
    select
        as_of_date,
        {% for signal in signals %}
        bool_or(is_known) filter (where signal = '{{ signal }}') as {{ signal }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_signal_states') }}
    where as_of_date between {{ signals_start() }} and {{ as_of_end() }}
    group by as_of_date
{% endmacro %}
