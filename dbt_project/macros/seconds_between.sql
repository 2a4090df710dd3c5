{# The time from one TIMESTAMP to a later one in seconds, to the microsecond, as DECIMAL. #}
{% macro seconds_between(earlier, later) -%}
    cast(epoch_us({{ later }}) - epoch_us({{ earlier }}) as decimal(24, 6)) / 1000000
{%- endmacro %}
