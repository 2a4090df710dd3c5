{#
    Points that no limit bounds, as people read them: the whole scale, 100. Scores are computed from a number that is
    large beyond any sum of rules (variant_points_bound), which nobody is to see.
#}
{% macro held_to_scale(points) -%}
    case
        when {{ points }} <= -1000000 then cast(-100 as decimal(18, 6))
        when {{ points }} >= 1000000 then cast(100 as decimal(18, 6))
        else {{ points }}
    end
{%- endmacro %}
