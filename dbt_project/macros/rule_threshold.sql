{# What a condition compares its signal with: the account's own goal where it has one, else the rule's limit. #}
{% macro rule_threshold(condition) -%}
    coalesce(goal_{{ condition['signal'] }}, {{ condition['limit'] }})
{%- endmacro %}
