{#
    What identifies an event among those of its account: its id, or a text of it and of the columns that
    seeds/feeds.csv adds to the key. Read as landing has recorded it, so that a key counts from the first event on or
    not at all.
#}
{% macro event_identity() -%}
    {%- set recorded = seed_rows("select key from control.feed_keys where feed = 'product/events'") -%}
    {%- set key = recorded[0]['key'].split() if recorded else [] -%}
    {%- set added = ['user_id', 'event_name', 'occurred_at'] | select('in', key) | list -%}
    {{ json_text(['event_id'] + added) if added else 'event_id' }}
{%- endmacro %}
