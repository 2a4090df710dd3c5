{# The rule set that decides, as a list of one; none where var `rule_set` names another alone. See scoring_rule_sets. #}
{% macro champions() %}
    {%- do return(scoring_rule_sets() | selectattr('status', 'equalto', 'champion') | list) -%}
{% endmacro %}
