{# The days to compute, passed in once per run through control.run_window; no model reads the clock. #}
{% macro as_of_window() %}
    {%- if not execute -%}
        {%- do return({'start': '2000-01-01', 'end': '2000-01-01'}) -%}
    {%- endif -%}
    {%- if var('as_of_start') -%}
        {%- do return({'start': var('as_of_start'), 'end': var('as_of_end') or var('as_of_start')}) -%}
    {%- endif -%}
    {%- set rows = [] -%}
    {%- if adapter.get_relation(target.database, 'control', 'run_window') -%}
        {%- set rows = run_query('select as_of_start, as_of_end from control.run_window').rows -%}
    {%- endif -%}
    {%- if rows | length != 1 -%}
        {{ exceptions.raise_compiler_error(
            'nothing has been run in this warehouse yet: run `radar run` first, or name the day with '
            ~ '--vars "{as_of_start: YYYY-MM-DD}"'
        ) }}
    {%- endif -%}
    {%- do return({'start': rows[0][0] | string, 'end': rows[0][1] | string}) -%}
{% endmacro %}
