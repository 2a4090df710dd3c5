{# Whole days from one DATE to a later one, as BIGINT. #}
{% macro days_between(earlier, later) -%}
    {{ dbt.datediff(earlier, later, 'day') }}
{%- endmacro %}
