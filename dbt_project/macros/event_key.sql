{# 64 bits of the MD5 of an event's id: the thin key by which an event is recognised when it comes again. #}
{% macro event_key(event_id) -%}
    md5_number_lower({{ event_id }})
{%- endmacro %}
