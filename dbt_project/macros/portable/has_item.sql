{# Whether a list of text has an item, named as it is; null where there is no list. #}
{% macro has_item(list, item) -%}
    {{ adapter.dispatch('has_item')(list, quoted(item)) }}
{%- endmacro %}

{% macro duckdb__has_item(list, item) -%}
    list_contains({{ list }}, {{ item }})
{%- endmacro %}

{% macro spark__has_item(list, item) -%}
    array_contains({{ list }}, {{ item }})
{%- endmacro %}
