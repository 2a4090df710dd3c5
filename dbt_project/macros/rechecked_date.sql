{#
    The newest day told before this build, as text, where it lies at most var `recheck_days` back: its signals are
    computed once more beside it, from the facts known now. None otherwise.
#}
{% macro rechecked_date() %}
    {%- if not execute or var('as_of_start') -%}{%- do return(none) -%}{%- endif -%}
    {%- set history = adapter.get_relation(target.database, 'marts', 'fct_health_history') -%}
    {%- if history is none -%}{%- do return(none) -%}{%- endif -%}
    {%- set day = run_query(
        'select max(as_of_date) from marts.fct_health_history where as_of_date between '
        ~ add_days(as_of_start(), -1 * (var('recheck_days') | int)) ~ ' and ' ~ add_days(as_of_start(), -1)
    ).rows[0][0] -%}
    {%- do return(day | string if day else none) -%}
{% endmacro %}
