{# The first day whose signals this build computes, a DATE: its first as-of date, or the restated date before. #}
{% macro signals_start() -%}
    {%- set day = restated_date() -%}
    {{ "cast('" ~ day ~ "' as date)" if day else as_of_start() }}
{%- endmacro %}
