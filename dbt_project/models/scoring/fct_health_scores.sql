-- Grain: one row per scored account, as_of_date and scored rule set, by the rules alone, before any override.
-- Guarantees a row for every scored account; score = base + points of fct_rule_results, clamped to 0 to 100.
-- depends_on: {{ [ref('fct_rule_results'), ref('int_scored_accounts'), ref('int_rules_in_use')] | join(', ') }}
-- Rule sets whose bucket reads a median are apart: they need the dates before, and a question about others does not.
{% set daily = scoring_rule_sets() | rejectattr('smoothing_days') | list -%}
{% set smoothed = scoring_rule_sets() | selectattr('smoothing_days') | list -%}
{% for rule_sets in [daily, smoothed] if rule_sets -%}
select * from ({{ health_scores(ref('fct_rule_results'), rule_sets) }}) as {{ 'daily_buckets' if rule_sets == daily else 'median_buckets' }}
{{ 'union all' if not loop.last }}
{% endfor %}
