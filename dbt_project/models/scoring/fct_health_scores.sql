-- Grain: one row per scored account, as_of_date and rule set.
-- score = base + points of true rules, held between 0 and 100; score_low and score_high are the least and the
-- greatest score that unknown rules and unknown weights could still make.
-- depends_on: {{ ref('int_rule_evaluations') }}
-- depends_on: {{ ref('int_shadow_evaluations') }}
{% set rule_sets = scoring_rule_sets() %}
with

{% for rule_set in rule_sets %}
scores_{{ loop.index }} as (

    {{ rule_set_scores(rule_set, evaluations_of(rule_set)) }}

),

{% endfor -%}
final as (

    {% for rule_set in rule_sets %}
    select * from scores_{{ loop.index }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
