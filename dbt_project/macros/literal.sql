{# A cell of a seed as an SQL literal. #}
{% macro literal(value) -%}
    {%- if value is none -%}
        null
    {%- elif value is string -%}
        {{ quoted(value) }}
    {%- elif value is boolean -%}
        {{ value | lower }}
    {%- else -%}
        {{ value | int if value == value | int else value | float }}
    {%- endif -%}
{%- endmacro %}
