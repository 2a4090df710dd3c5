{#
    The newest scored date before this build, as text, where it is at most var `recheck_days` back and was over when it
    was scored: its signals are computed again next to what was recorded, from the facts known now. None otherwise: what
    happens on a day after it was scored is no late data.
#}
{% macro restated_date() %}
    {%- if not execute or var('as_of_start') -%}{%- do return(none) -%}{%- endif -%}
    {%- set history = adapter.get_relation(target.database, 'marts', 'fct_health_history') -%}
    {%- if history is none -%}{%- do return(none) -%}{%- endif -%}
    {%- set day = run_query(
        'select max(as_of_date) from marts.fct_health_history where as_of_date between '
        ~ add_days(as_of_start(), -1 * (var('recheck_days') | int)) ~ ' and ' ~ add_days(as_of_start(), -1)
    ).rows[0][0] -%}
    {%- if not day -%}{%- do return(none) -%}{%- endif -%}
    {%- set was_over = run_query(
        "select max(cast(started_at as date)) > cast('" ~ day ~ "' as date) from audit.runs"
        ~ " where status <> 'failed' and cast('" ~ day ~ "' as date) between as_of_start and as_of_end"
    ).rows[0][0] -%}
    {%- do return(day | string if was_over else none) -%}
{% endmacro %}
