{#
    The signal of the n-th condition of the row `rule_number` of a rule set (counted from 1), its name behind `prefix`;
    null where the rule has no such condition.
#}
{% macro by_rule(rule_set, n, prefix) -%}
    case variants.rule_number
        {% for rule in rule_set['rules'] %}
        {%- set signals = [] -%}
        {%- for variant in rule['variants'] -%}
            {%- do signals.append(prefix ~ variant['conditions'][n - 1]['signal'] if n <= variant['conditions'] | length else 'null') -%}
        {%- endfor -%}
        when {{ rule['rule_number'] }} then {{ by_segment(rule, signals) }}
        {% endfor %}
    end
{%- endmacro %}
