{# The TIMESTAMP some hours after the end of a DATE. #}
{% macro hours_after_day(day, hours) -%}
    {{ adapter.dispatch('hours_after_day', 'radar')(day, hours) }}
{%- endmacro %}

{% macro default__hours_after_day(day, hours) -%}
    cast({{ add_days(day, 1) }} as timestamp) + coalesce({{ hours }}, 0) * interval 1 hour
{%- endmacro %}

{% macro spark__hours_after_day(day, hours) -%}
    cast({{ add_days(day, 1) }} as timestamp) + make_interval(0, 0, 0, 0, cast(coalesce({{ hours }}, 0) as int))
{%- endmacro %}
