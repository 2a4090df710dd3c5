{#
    Rows of many days are written day by day where `meta.is_read_by_day` says so: engines then skip what lies outside
    the days that are asked for. A table that is written in pieces of days (`window_chunks`) has order enough, and so
    has one whose rows come one by one from such a table: sorting all days at once costs more than readers gain.
#}
{% macro order_of_days() -%}
    {%- set window = as_of_window() -%}
    {%- if config.get('meta', {}).get('is_read_by_day') and window['start'] != window['end'] -%}
        order by as_of_date
    {%- endif -%}
{%- endmacro %}
