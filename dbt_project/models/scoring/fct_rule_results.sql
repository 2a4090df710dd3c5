-- Grain: one row per scored account, as_of_date, rule set and rule that speaks for the account's segment.
-- The points of a rule set's rows plus its base are the score before clamping, exactly.
-- depends_on: {{ ref('int_rule_evaluations') }}
-- depends_on: {{ ref('int_shadow_evaluations') }}
{% set rule_sets = scoring_rule_sets() %}
{% set labels = signal_labels() %}
with

{% for rule_set in rule_sets %}
results_{{ loop.index }} as (

    {{ rule_set_results(rule_set, evaluations_of(rule_set), labels) }}

),

{% endfor -%}
final as (

    {% for rule_set in rule_sets %}
    select * from results_{{ loop.index }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
