{#
    A stored key of a text: 64 bits of its MD5. Spark has no unsigned numbers and takes the other half, with a sign: a key
    never leaves the engine that made it.
#}
{% macro key_of_text(text) -%}
    {{ adapter.dispatch('key_of_text')(text) }}
{%- endmacro %}

{% macro duckdb__key_of_text(text) -%}
    md5_number_lower({{ text }})
{%- endmacro %}

{% macro spark__key_of_text(text) -%}
    cast(conv(substr(md5({{ text }}), 1, 16), 16, -10) as bigint)
{%- endmacro %}
