-- Grain: one row per scored account, as_of_date and shadow rule set, with the columns of int_rule_evaluations for the
-- rules of the shadows. A rule that the set does not have is never on.
{% set shadows = scoring_rule_sets() | rejectattr('status', 'equalto', 'champion') | list %}
{{ rule_evaluations(shadows, 'select * from ' ~ ref('int_rule_inputs')) }}
