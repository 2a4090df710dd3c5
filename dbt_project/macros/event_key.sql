{# 64 bits of the MD5 of an event's id: the thin key by which an event is recognised when it comes again. #}
{% macro event_key(event_id) -%}
    {{ adapter.dispatch('event_key', 'radar')(event_id) }}
{%- endmacro %}

{% macro default__event_key(event_id) -%}
    md5_number_lower({{ event_id }})
{%- endmacro %}

{% macro spark__event_key(event_id) -%}
    cast(conv(substring(md5({{ event_id }}), 17), 16, 10) as decimal(20, 0))
{%- endmacro %}
