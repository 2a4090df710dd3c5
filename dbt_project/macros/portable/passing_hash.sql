{# A fast hash of columns, for use within one query: another one on each engine, and perhaps with its next release. #}
{% macro passing_hash(columns) -%}
    {{ adapter.dispatch('passing_hash')(columns) }}
{%- endmacro %}

{% macro duckdb__passing_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro spark__passing_hash(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}
