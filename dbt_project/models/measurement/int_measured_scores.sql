-- Grain: one row per scored account and as_of_date: the scores that are measured, as they were recorded. Buckets are
-- those of the rules: a person's override is no prediction of theirs. `radar backtest` measures other rule sets and
-- other dates by putting its own rows in this place.
select
    account_id,
    as_of_date,
    owner_id,
    segment,
    rule_set,
    score,
    model_bucket as bucket,
    decision,
    arr_usd
from {{ ref('fct_health_history') }}
