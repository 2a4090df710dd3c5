{#
    Points of a rule, as DECIMAL(18, 6), counted `renewal_factor` times where the renewal is at most
    `renewal_within_days` away. With nothing to renew they count once. Where the days to renewal are unknown, they
    count once too, and the least (`side` low) and the greatest (high) cover both.
#}
{% macro with_renewal_weight(variant, points, side=none) -%}
    {%- if variant['renewal_factor'] is none -%}
        {{ points }}
    {%- else -%}
        {%- set weighted = 'cast((' ~ points ~ ') * ' ~ variant['renewal_factor'] ~ ' as decimal(18, 6))' -%}
        case
            when days_to_renewal <= {{ variant['renewal_within_days'] }} then {{ weighted }}
            {%- if side %}
            when is_renewal_unknown
                then cast({{ 'least' if side == 'low' else 'greatest' }}({{ points }}, {{ weighted }}) as decimal(18, 6))
            {%- endif %}
            else {{ points }}
        end
    {%- endif -%}
{%- endmacro %}
