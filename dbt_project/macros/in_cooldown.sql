{#
    Whether a play that was released on one DATE may not yet come again to the account on a later one: within its
    cooldown, and in any case not twice in a week.
#}
{% macro in_cooldown(released_on, day, cooldown_days) -%}
    (
        {{ day }} < {{ add_days(released_on, 'coalesce(' ~ cooldown_days ~ ', 0)') }}
        or {{ week_start(day) }} = {{ week_start(released_on) }}
    )
{%- endmacro %}
