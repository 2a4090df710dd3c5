{# Whether a word is one of those of a list in words, 'one, two'; null where there is no word. #}
{% macro is_among(value, list) -%}
    ', ' || coalesce({{ list }}, '') || ',' like '%, ' || {{ value }} || ',%'
{%- endmacro %}
