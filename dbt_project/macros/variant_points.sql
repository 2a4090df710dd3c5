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
            {#- greatest and least pass over nulls: an unknown value must stay unknown -#}
            case
                when {{ variant['conditions'][0]['signal'] }} is not null
                    then cast(greatest(-{{ limit }}, least({{ limit }}, {{ product }})) as decimal(18, 6))
            end
        {%- else -%}
            cast({{ product }} as decimal(18, 6))
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
