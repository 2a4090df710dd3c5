{#
    Where the rules of a rule set are evaluated: the champion's apart from the shadows', so that a question about its
    scores is planned without theirs.
#}
{% macro evaluations_of(rule_set) %}
    {%- do return(
        ref('int_rule_evaluations') if rule_set['status'] == 'champion' else ref('int_shadow_evaluations')
    ) -%}
{% endmacro %}
