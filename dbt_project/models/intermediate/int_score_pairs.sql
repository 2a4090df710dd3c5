-- Grain: one row per account and told day whose score may differ from that of its told day before: another rule
-- version, other points, other knowledge of a signal that a rule reads, or late data. For all others no part of the
-- difference can be other than 0. Days are those of this build and, after them, each account's next told day.
{{ config(materialized='view') }}
select
    -- ids
    account_id,
    as_of_date,
    compared_with,
    segment,
    rule_set,

    -- before and after
    rule_version_before,
    rule_version,
    base_score_before,
    base_score,
    points_before,
    points,
    score_before,
    score
from {{ ref('int_told_changes') }}
where
    may_score_differ
    and as_of_date >= {{ as_of_start() }}
    and compared_with <= {{ as_of_end() }}
