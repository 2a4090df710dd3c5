{# The signals that the conditions of these rule sets read, in alphabetical order, each once. #}
{% macro rule_signals(rule_sets) %}
    {%- set signals = [] -%}
    {%- for rule_set in rule_sets -%}
        {%- for rule in rule_set['rules'] -%}
            {%- for variant in rule['variants'] -%}
                {%- for condition in variant['conditions'] -%}
                    {%- if condition['signal'] not in signals -%}
                        {%- do signals.append(condition['signal']) -%}
                    {%- endif -%}
                {%- endfor -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do return(signals | sort) -%}
{% endmacro %}
