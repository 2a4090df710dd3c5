{#
    The conditions of a rule with their values and thresholds filled in, such as
    `days_since_login 25 >= 21 and is_paid_plan 1 = 1`: every number of its sentence, also of the conditions after
    the first. '?' stands for a value that is unknown or null.
#}
{% macro rule_conditions_told(variant) -%}
    {%- for condition in variant['conditions'] -%}
        {{ quoted((' and ' if not loop.first else '') ~ condition['signal'] ~ ' ') }}
        || {{ format_number(condition['signal']) }}
        || ' {{ condition['operator'] }} ' || {{ format_number(condition_threshold(condition)) }}
        {{- ' || ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
