{# The signals that the conditions and weights of these rule sets read, in alphabetical order, each once. #}
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
                {%- if variant['renewal_factor'] is not none and 'days_to_renewal' not in signals -%}
                    {%- do signals.append('days_to_renewal') -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do return(signals | sort) -%}
{% endmacro %}
