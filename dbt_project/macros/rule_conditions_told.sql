{#
    The conditions of a rule with their values and thresholds filled in, such as
    `days_since_login 25 >= 21 and is_paid_plan 1 = 1`: every number of its sentence, also of the conditions after
    the first. '?' stands for a value that is unknown or null. Reads value_n_text and threshold_n_text.
#}
{% macro rule_conditions_told(variant) -%}
    {%- for condition in variant['conditions'] -%}
        {{ quoted((' and ' if not loop.first else '') ~ condition['signal'] ~ ' ') }} || value_{{ loop.index }}_text
        || ' {{ condition['operator'] }} ' || threshold_{{ loop.index }}_text
        {{- ' || ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
