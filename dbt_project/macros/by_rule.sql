{#
    One expression of the row `rule_number` of a rule set (counted from 1), chosen by rule and segment. `expressions`
    holds, for every rule, a list as long as its variants.
#}
{% macro by_rule(rule_set, expressions, otherwise='null') -%}
    case rule_number
        {% for rule in rule_set['rules'] %}
        when {{ loop.index }} then {{ by_segment(rule, expressions[loop.index0], otherwise) }}
        {% endfor %}
    end
{%- endmacro %}
