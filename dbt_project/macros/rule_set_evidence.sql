{#
    The results of the rules of a rule set that held or could not be told: those of `rule_set_results`, where each rule is
    asked by itself of the rows of `inputs` (a query with the columns of int_rule_inputs). For many days: nothing is said
    of the many rules that did not hold, and each reads its own signals alone.
#}
{% macro rule_set_evidence(rule_set, inputs) %}
{% set labels = signal_labels() %}
{% for rule in rule_set['rules'] %}
{% set alone = dict(rule_set, rules=[rule]) %}
{% set held %}
(
    select * from ({{ rule_evaluations([alone], inputs) }}) as evaluated
    where {{ rule['rule_id'] }}_is_on and {{ rule['rule_id'] }}_is_true is distinct from false
)
{% endset %}
select * from ({{ rule_set_results(alone, held, labels) }}) as results
{{ 'union all' if not loop.last }}
{% endfor %}
{% endmacro %}
