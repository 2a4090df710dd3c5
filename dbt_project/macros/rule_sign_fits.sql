{#
    Whether the signal that a rule counts units of, while it is unknown, could still have this sign: not where a
    condition of the rule on the same signal excludes it, nor below 0 where it never is by the catalogue.
#}
{% macro rule_sign_fits(rule, sign) -%}
    {%- set signal = rule['conditions'][0] -%}
    {%- set tests = ['true' if rule['per_unit'] and (sign == 'positive' or signal['can_be_negative']) else 'false'] -%}
    {%- for condition in rule['conditions'] if tests[0] == 'true' and condition['signal'] == signal['signal'] -%}
        {%- if condition['comparison'] == '=' or condition['comparison'].startswith('<' if sign == 'positive' else '>') -%}
            {%- do tests.append(rule_threshold(condition) ~ (' > 0' if sign == 'positive' else ' < 0')) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ tests | join(' and ') }}
{%- endmacro %}
