{# A fast 64-bit hash for use within one query. It may differ from release to release: never store it. #}
{% macro passing_hash(text) -%}
    hash({{ text }})
{%- endmacro %}
