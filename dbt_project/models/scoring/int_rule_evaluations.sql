-- Grain: one row per scored account, as_of_date and rule set. For every rule: <rule>_is_on, <rule>_is_true (null:
-- unknown), and <rule>_points, _low and _high: what it adds, and the least and the most that it still could. A true
-- rule whose weight hangs on an unknown renewal adds its points once, with a low and a high that cover both.
-- SQL's own three-valued logic is the rules'. A rule that the set does not have is never on.
{{ rule_evaluations(scoring_rule_sets(), 'select * from ' ~ ref('int_rule_inputs')) }}
