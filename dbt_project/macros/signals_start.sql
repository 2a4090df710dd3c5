{# The first day whose signals this build computes, a DATE: its first as-of date, or the day before that is rechecked. #}
{% macro signals_start() -%}
    {%- set day = restated_date() -%}
    {{ "cast('" ~ day ~ "' as date)" if day else as_of_start() }}
{%- endmacro %}
