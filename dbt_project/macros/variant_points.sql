{# What a rule would add where all its conditions held, as DECIMAL(18, 6). #}
{% macro variant_points(variant) -%}
    {%- if variant['effect'] != 'points' -%}
        cast(0 as decimal(18, 6))
    {%- elif not variant['per_unit'] -%}
        cast({{ variant['points'] }} as decimal(18, 6))
    {%- else -%}
        {%- set product = variant['points'] ~ ' * cast(' ~ variant['conditions'][0]['signal'] ~ ' as double)' -%}
        {%- if variant['max_points'] is not none -%}
            {%- set limit = variant['max_points'] | abs -%}
            cast(greatest(-{{ limit }}, least({{ limit }}, {{ product }})) as decimal(18, 6))
        {%- else -%}
            cast({{ product }} as decimal(18, 6))
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
