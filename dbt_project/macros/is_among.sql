{# Whether a word is one of those of a list in words, 'one, two'; null where there is no word. #}
{% macro is_among(word, list) -%}
    ', ' || coalesce({{ list }}, '') || ',' like '%, ' || {{ word }} || ',%'
{%- endmacro %}
