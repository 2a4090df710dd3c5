{#
    The conditions of a rule that has several, with their values and thresholds filled in, such as
    `days_since_login 25 >= 21 and is_paid_plan 1 = 1`: every number of its sentence, also of the conditions after
    the first. '?' stands for a value that is unknown or null. Reads the columns of `rule_variants`, value_n_text and
    threshold_n_text.
#}
{% macro rule_conditions_told(positions) -%}
    {%- if positions | length < 2 -%}
        cast(null as {{ dbt.type_string() }})
    {%- else -%}
        case when signal_2 is not null then concat_ws(
            ' and '
            {%- for n in positions %},
            signal_{{ n }} || ' ' || value_{{ n }}_text || ' ' || operator_{{ n }} || ' ' || threshold_{{ n }}_text
            {%- endfor %}
        ) end
    {%- endif -%}
{%- endmacro %}
