{#
    The first DATE on which a play that was released on a DATE may come again to the account: after its cooldown, and
    in no case twice in a week.
#}
{% macro cooldown_end(released_on, cooldown_days) -%}
    greatest(
        {{ add_days(released_on, 'coalesce(' ~ cooldown_days ~ ', 0)') }},
        {{ add_days("date_trunc('week', " ~ released_on ~ ")", 7) }}
    )
{%- endmacro %}
