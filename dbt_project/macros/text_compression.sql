{#
    How DuckDB packs a column of text in a table of days: what it finds best for nearly all of it. To try every way for
    each part again takes a fifth of the time that it takes to write it. Empty where that hangs on the data.
#}
{% macro text_compression(name, type) -%}
    {%- if type | lower not in ['varchar', 'text', 'string'] or name in ['action_id', 'evidence', 'mode_reason', 'stop_reasons'] -%}
    {%- elif name == 'account_id' -%}
        using compression fsst
    {%- else -%}
        using compression dictionary
    {%- endif -%}
{%- endmacro %}
