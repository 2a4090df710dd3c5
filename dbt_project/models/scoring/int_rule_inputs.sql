-- Grain: one row per scored account and as_of_date: what the rules of all scored rule sets read, side by side.
-- Guarantees a row for every scored account; a signal is null where it is unknown, or by its definition.
-- depends_on: {{ [ref('int_rank_limits'), ref('settings'), ref('rule_sets'), ref('rules'), ref('rule_conditions'), ref('signals')] | join(', ') }}
{{ rule_inputs() }}
