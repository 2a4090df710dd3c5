{# What a rule did, in words, to stand behind its evidence. #}
{% macro rule_effect(variant) -%}
    {%- if variant['effect'] == 'points' -%}
        ' (' || case when {{ variant_points(variant) }} > 0 then '+' else '' end
        || {{ format_number(variant_points(variant)) }} || ' points)'
    {%- elif variant['effect'] == 'flag' -%}
        ' (flag {{ variant['flag'] }}{{ ', bucket no better than ' ~ variant['bucket'] if variant['bucket'] }})'
    {%- elif variant['effect'] == 'cap' -%}
        ' (bucket no better than {{ variant['bucket'] }})'
    {%- else -%}
        ' (for a person to look at)'
    {%- endif -%}
{%- endmacro %}
