{# How many times a rule's points count, as DECIMAL(18, 6); null where that hangs on an unknown renewal. #}
{% macro renewal_weight(variant) -%}
    {%- if variant['renewal_factor'] is none -%}
        cast(1 as decimal(18, 6))
    {%- else -%}
        case
            when is_renewal_unknown then null
            when days_to_renewal <= {{ variant['renewal_within_days'] }}
                then cast({{ variant['renewal_factor'] }} as decimal(18, 6))
            else cast(1 as decimal(18, 6))
        end
    {%- endif -%}
{%- endmacro %}
