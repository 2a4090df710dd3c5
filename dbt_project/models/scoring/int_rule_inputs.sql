-- Grain: one row per scored account and as_of_date: what rules read, side by side.
-- `goal_<signal>` is the account's own threshold, `uses_<signal>` is false where a feed is switched off,
-- `is_renewal_unknown` tells an unknown renewal from one that is not there.
-- depends_on: {{ ref('rule_sets') }}
-- depends_on: {{ ref('rules') }}
-- depends_on: {{ ref('rule_conditions') }}
{{ rule_inputs(scoring_rule_sets()) }}
