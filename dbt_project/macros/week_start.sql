{# The Monday of a DATE's week, a DATE. #}
{% macro week_start(day) -%}
    cast({{ dbt.date_trunc('week', day) }} as date)
{%- endmacro %}
