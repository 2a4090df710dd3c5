{# The quarter of a DATE as text that sorts, such as 2026-Q3; null of null. #}
{% macro quarter_of(day) -%}
    cast(extract(year from {{ day }}) as {{ dbt.type_string() }})
    || '-Q' || cast(extract(quarter from {{ day }}) as {{ dbt.type_string() }})
{%- endmacro %}
