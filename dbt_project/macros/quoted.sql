{# A text as an SQL literal. #}
{% macro quoted(text) -%}
    '{{ text | string | replace("'", "''") }}'
{%- endmacro %}
