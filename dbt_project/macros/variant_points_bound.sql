{#
    The least (`side` low) or greatest (high) that an unknown rule could still add, as DECIMAL(18, 6). A rule per
    unit whose signal is unknown and that has no max_points could move the score to either end of the scale.
#}
{% macro variant_points_bound(variant, side) -%}
    {%- set pick = 'least' if side == 'low' else 'greatest' -%}
    {%- if variant['effect'] != 'points' -%}
        cast(0 as decimal(18, 6))
    {%- elif not variant['per_unit'] -%}
        {{ pick }}(cast(0 as decimal(18, 6)), {{ variant_points(variant) }})
    {%- else -%}
        {%- set limit = variant['max_points'] | abs if variant['max_points'] is not none else 1000000 -%}
        {%- set is_reached = (variant['points'] < 0) == (side == 'low') -%}
        {{ pick }}(
            cast(0 as decimal(18, 6)),
            coalesce({{ variant_points(variant) }}, cast({{ (limit if side == 'high' else -limit) if is_reached else 0 }} as decimal(18, 6)))
        )
    {%- endif -%}
{%- endmacro %}
