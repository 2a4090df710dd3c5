{# The rank of the bucket that a score falls into; bounds are closed below. #}
{% macro score_rank(score, rule_set) -%}
    case
        when {{ score }} >= {{ rule_set['healthy_from'] }} then 3
        when {{ score }} >= {{ rule_set['watch_from'] }} then 2
        else 1
    end
{%- endmacro %}
