{# The TIMESTAMP some hours after the end of a DATE. #}
{% macro hours_after_day(day, hours) -%}
    cast({{ add_days(day, 1) }} as timestamp) + coalesce({{ hours }}, 0) * interval 1 hour
{%- endmacro %}
