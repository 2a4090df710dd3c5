{#
    The signals of a rule that are unknown or null for the account, as text, by their labels. Reads value_n of the n-th
    condition.
#}
{% macro missing_signals(variant, labels) -%}
    {%- set parts = [] -%}
    {%- set named = [] -%}
    {%- for condition in variant['conditions'] if condition['signal'] not in named -%}
        {%- do named.append(condition['signal']) -%}
        {%- do parts.append(
            'case when value_' ~ (variant['conditions'].index(condition) + 1) ~ ' is null then '
            ~ quoted(labels[condition['signal']]) ~ ' end'
        ) -%}
    {%- endfor -%}
    {%- if variant['renewal_factor'] is not none -%}
        {%- do parts.append('case when is_renewal_unknown then ' ~ quoted(labels['days_to_renewal']) ~ ' end') -%}
    {%- endif -%}
    concat_ws(', ', {{ parts | unique | join(', ') }})
{%- endmacro %}
