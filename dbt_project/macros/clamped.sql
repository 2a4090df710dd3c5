{# A score clamped to 0 to 100. #}
{% macro clamped(score) -%}
    greatest(0, least(100, {{ score }}))
{%- endmacro %}
