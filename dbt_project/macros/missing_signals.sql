{# The signals of a rule that are unknown or null for the account, as text, by their labels. #}
{% macro missing_signals(variant, labels) -%}
    {%- set parts = [] -%}
    {%- for condition in variant['conditions'] -%}
        {%- do parts.append(
            'case when ' ~ condition['signal'] ~ ' is null then ' ~ quoted(labels[condition['signal']]) ~ ' end'
        ) -%}
    {%- endfor -%}
    {%- if variant['renewal_factor'] is not none -%}
        {%- do parts.append('case when is_renewal_unknown then ' ~ quoted(labels['days_to_renewal']) ~ ' end') -%}
    {%- endif -%}
    concat_ws(', ', {{ parts | unique | join(', ') }})
{%- endmacro %}
