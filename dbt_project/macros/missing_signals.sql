{#
    The signals of a rule that are unknown or null for the account, as text, by their labels. Reads the columns of
    `rule_variants` and value_n of the n-th condition.
#}
{% macro missing_signals(positions, labels) -%}
    concat_ws(
        ', '
        {%- for n in positions %},
        case when value_{{ n }} is null then label_{{ n }} end
        {%- endfor %},
        case when renewal_factor is not null and is_renewal_unknown then {{ quoted(labels['days_to_renewal']) }} end
    )
{%- endmacro %}
