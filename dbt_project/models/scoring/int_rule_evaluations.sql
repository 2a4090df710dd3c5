-- Grain: one row per scored account and as_of_date, by the champion's rules. For every rule: <rule>_is_on, <rule>_is_true
-- (null: unknown), and <rule>_points, _low and _high: what it adds, and the least and the most that it still could. A
-- true rule whose weight hangs on an unknown renewal adds its points once, with a low and a high that cover both.
-- SQL's own three-valued logic is the rules'.
{{ rule_evaluations(champions(), 'select * from ' ~ ref('int_rule_inputs')) }}
