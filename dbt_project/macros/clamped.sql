{# A score held between 0 and 100. #}
{% macro clamped(score) -%}
    greatest(0, least(100, {{ score }}))
{%- endmacro %}
