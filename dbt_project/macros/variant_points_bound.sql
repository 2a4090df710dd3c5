{#
    The least (`side` low) or greatest (high) that an unknown rule could still add, as DECIMAL(18, 6). A rule per
    unit whose signal is unknown and that has no max_points could move the score to the end of the scale: to the
    end that the sign of its points and the sign that the signal can have allow.
#}
{% macro variant_points_bound(variant, side) -%}
    {%- set pick = 'least' if side == 'low' else 'greatest' -%}
    {%- if variant['effect'] != 'points' -%}
        cast(0 as decimal(18, 6))
    {%- elif not variant['per_unit'] -%}
        {{ pick }}(cast(0 as decimal(18, 6)), {{ variant_points(variant) }})
    {%- else -%}
        {%- set signal = variant['conditions'][0]['signal'] -%}
        {%- set sign = namespace(can_be_positive=true, can_be_negative=variant['can_be_negative']) -%}
        {%- for condition in variant['conditions'] if condition['signal'] == signal -%}
            {%- if condition['operator'] in ('>=', '>', '=') and condition['threshold'] >= 0 -%}
                {%- set sign.can_be_negative = false -%}
            {%- endif -%}
            {%- if condition['operator'] in ('<=', '<', '=') and condition['threshold'] <= 0 -%}
                {%- set sign.can_be_positive = false -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set is_reached = sign.can_be_positive if (variant['points'] < 0) == (side == 'low')
            else sign.can_be_negative -%}
        {%- set limit = variant['max_points'] | abs if variant['max_points'] is not none else 1000000 -%}
        {{ pick }}(
            cast(0 as decimal(18, 6)),
            coalesce(
                {{ variant_points(variant) }},
                cast({{ (limit if side == 'high' else -limit) if is_reached else 0 }} as decimal(18, 6))
            )
        )
    {%- endif -%}
{%- endmacro %}
