-- Grain: one row per paying observation: its score by the proposed rules, by the macro that makes every score.
{{ health_scores(ref('calibration_results')) }}
