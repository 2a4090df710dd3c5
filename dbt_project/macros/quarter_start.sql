{# The first day of a day's quarter, a DATE. #}
{% macro quarter_start(day) -%}
    cast({{ dbt.date_trunc('quarter', day) }} as date)
{%- endmacro %}
