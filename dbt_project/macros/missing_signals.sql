{# The signals of a rule that are unknown or null for the account, as text. #}
{% macro missing_signals(variant) -%}
    {%- set parts = [] -%}
    {%- for condition in variant['conditions'] -%}
        {%- do parts.append(
            "case when " ~ condition['signal'] ~ " is null then '" ~ condition['signal'] ~ "' end"
        ) -%}
    {%- endfor -%}
    concat_ws(', ', {{ parts | join(', ') }})
{%- endmacro %}
