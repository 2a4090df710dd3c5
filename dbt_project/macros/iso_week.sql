{# The ISO week of a DATE as text that sorts, such as 2026-W27. #}
{% macro iso_week(day) -%}
    {{ adapter.dispatch('iso_week', 'radar')(day) }}
{%- endmacro %}

{% macro default__iso_week(day) -%}
    strftime({{ day }}, '%G-W%V')
{%- endmacro %}

{% macro spark__iso_week(day) -%}
    concat(extract(yearofweek from {{ day }}), '-W', lpad(weekofyear({{ day }}), 2, '0'))
{%- endmacro %}
