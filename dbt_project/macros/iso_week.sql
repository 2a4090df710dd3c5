{# The ISO week of a DATE as text that sorts, such as 2026-W27. #}
{% macro iso_week(day) -%}
    strftime({{ day }}, '%G-W%V')
{%- endmacro %}
