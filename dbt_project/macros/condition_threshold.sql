{# The threshold of a condition as DOUBLE: the account's own goal for the signal where it has one, else the rule's. #}
{% macro condition_threshold(condition) -%}
    coalesce(goal_{{ condition['signal'] }}, cast({{ condition['threshold'] }} as double))
{%- endmacro %}
