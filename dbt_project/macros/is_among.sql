{# Whether a value is in a list as text, 'one, two'; null where there is no value. #}
{% macro is_among(value, list) -%}
    ', ' || coalesce({{ list }}, '') || ',' like '%, ' || {{ value }} || ',%'
{%- endmacro %}
