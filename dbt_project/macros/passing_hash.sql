{# A fast 64-bit hash for use within one query. It may differ from release to release: never store it. #}
{% macro passing_hash(text) -%}
    {{ adapter.dispatch('passing_hash', 'radar')(text) }}
{%- endmacro %}

{% macro default__passing_hash(text) -%}
    hash({{ text }})
{%- endmacro %}

{% macro spark__passing_hash(text) -%}
    xxhash64({{ text }})
{%- endmacro %}
