{# Columns as the text of a JSON array, each as text, null as null: the same text on both engines. #}
{% macro json_text(columns) -%}
    {{ adapter.dispatch('json_text')(columns) }}
{%- endmacro %}

{% macro duckdb__json_text(columns) -%}
    cast(json_array({{ columns | join(', ') }}) as varchar)
{%- endmacro %}

{% macro spark__json_text(columns) -%}
    to_json(array(cast({{ columns | join(' as string), cast(') }} as string)))
{%- endmacro %}
