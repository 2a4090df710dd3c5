-- Grain: one row per scored account, as_of_date and scored rule set, by the rules alone, before any override.
-- Guarantees a row for every scored account; score = base + points of fct_rule_results, clamped to 0 to 100.
{{ health_scores(ref('fct_rule_results')) }}
