{# Whether a condition is true: null where its signal is unknown or null and the rule does not decide for that. #}
{% macro rule_condition(condition) -%}
    {%- set comparison = condition['signal'] ~ ' ' ~ condition['operator'] ~ ' ' ~ rule_threshold(condition) -%}
    {{ comparison if condition['when_null'] is none else 'coalesce(' ~ comparison ~ ', ' ~ literal(condition['when_null']) ~ ')' }}
{%- endmacro %}
