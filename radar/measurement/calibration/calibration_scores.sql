-- Grain: one row per paying observation of `dates`: its score by the proposed rules, by the macro that makes every score.
-- Rows of rules that do not fire add nothing, and are most of them.
{{ health_scores(
    "(select * from " ~ ref('calibration_results') ~ " where result in ('true', 'unknown'))",
    scoring_rule_sets(),
    var('dates')
) }}
