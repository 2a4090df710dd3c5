-- Grain: one row per scored account and as_of_date: what the rules of all scored rule sets read, side by side.
-- Guarantees a row for every scored account; a signal is null where it is unknown, or by its definition.
-- depends_on: {{ ref('settings') }}
-- depends_on: {{ ref('rule_sets') }}
-- depends_on: {{ ref('rules') }}
-- depends_on: {{ ref('rule_conditions') }}
-- depends_on: {{ ref('signals') }}
{{ rule_inputs() }}
