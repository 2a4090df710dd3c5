{#
    The least (`side` low) or greatest (high) that an unknown rule could still add, as DECIMAL(18, 6). A rule per
    unit whose signal is unknown and that has no max_points could move the score to the end of the scale: to the
    end that the sign of its points and the sign that the signal can have allow.
#}
{% macro variant_points_bound(variant, side) -%}
    {%- set pick = 'least' if side == 'low' else 'greatest' -%}
    {#- the cast around it: older engines give a DOUBLE for the least of two decimals -#}
    {%- if variant['effect'] != 'points' -%}
        cast(0 as decimal(18, 6))
    {%- elif not variant['per_unit'] -%}
        {%- set bounds = [0, variant['points']] -%}
        cast({{ bounds | min if side == 'low' else bounds | max }} as decimal(18, 6))
    {%- else -%}
        {%- set signal = variant['conditions'][0]['signal'] -%}
        {%- set needs_positive = (variant['points'] < 0) == (side == 'low') -%}
        {#- conditions of the rule under which the signal cannot have the sign that is needed -#}
        {%- set excluded = [] if needs_positive or variant['can_be_negative'] else ['true'] -%}
        {%- for condition in variant['conditions'] if condition['signal'] == signal -%}
            {%- if needs_positive and condition['operator'] in ('<=', '<', '=') -%}
                {%- do excluded.append(condition_threshold(condition) ~ ' <= 0') -%}
            {%- elif not needs_positive and condition['operator'] in ('>=', '>', '=') -%}
                {%- do excluded.append(condition_threshold(condition) ~ ' >= 0') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set limit = variant['max_points'] | abs if variant['max_points'] is not none else 1000000 -%}
        cast({{ pick }}(
            0,
            coalesce(
                {{ variant_points(variant) }},
                case
                    when {{ excluded | join(' or ') or 'false' }} then 0
                    else {{ limit if side == 'high' else -limit }}
                end
            )
        ) as decimal(18, 6))
    {%- endif -%}
{%- endmacro %}
