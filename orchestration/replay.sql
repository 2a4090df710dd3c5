-- What `radar replay` asks of its copy of a warehouse. Tables of the schema replay: `recorded_*` is what was recorded for
-- the day, `replayed_*` the same computed again by the rules of that day, `revised_*` by the rules of a git revision.

-- name: recorded_day
-- The newest run that recorded the day, and when the run after it began.
select
    max_by(run_id, finished_at) as run_id,
    max_by(batch_id, finished_at) as batch_id,
    max(finished_at) as finished_at,
    (
        select min(later.started_at) from audit.runs as later
        where later.started_at > max(runs.started_at)
    ) as next_started_at
from audit.runs as runs
where $day between as_of_start and as_of_end and status in ('done', 'blocked', 'held');

-- name: seeds_of_the_day
-- The rows of every seed as the audit has them at the end of that run.
select max_by(evidence, sequence) as evidence
from audit.entries
where
    kind in ('rule_change', 'reference_change')
    and recorded_at < coalesce($next_started_at, timestamp '9999-12-31')
group by kind, subject_id;

-- name: keep
create schema if not exists replay;
create or replace table replay.{name}_history as
select * from marts.fct_health_history where as_of_date = $day;
create or replace table replay.{name}_evidence as
select * from marts.fct_health_evidence where as_of_date = $day;

-- name: window
update control.run_window set as_of_start = $day, as_of_end = $day;

-- name: late_files
-- Files that landed after the day was recorded.
select feed, count(*) as files, sum(rows_read) as rows
from audit.loads
where batch_id > $batch_id and status = 'landed'
group by feed
order by feed;

-- name: differences
with

sides as (

    select
        coalesce(before.account_id, after.account_id) as account_id,
        before,
        after
    from replay.{before}_history as before
    full outer join replay.{after}_history as after
        on before.account_id = after.account_id

),

evidence as (

    select
        coalesce(before.account_id, after.account_id) as account_id,
        coalesce(before.rule_id, after.rule_id) as rule_id,
        before.evidence as evidence_before,
        after.evidence as evidence_after
    from replay.{before}_evidence as before
    full outer join replay.{after}_evidence as after
        on
            before.account_id = after.account_id
            and before.rule_id = after.rule_id
    where
        before.evidence is distinct from after.evidence
        or before.result is distinct from after.result
        or before.points is distinct from after.points

),

reasons as (

    select
        account_id,
        string_agg(
            rule_id || ': ' || coalesce(evidence_before, 'did not fire')
            || ' -> ' || coalesce(evidence_after, 'does not fire'),
            '; ' order by rule_id
        ) as reasons
    from evidence
    group by account_id

),

compared as (

    select
        sides.account_id,
        before.score as score_before,
        after.score as score_after,
        before.bucket as bucket_before,
        after.bucket as bucket_after,
        before.account_id is null or after.account_id is null as is_on_one_side,
        before.account_id is not null and after.account_id is not null and (
            before.is_overridden, before.override_reason, before.overridden_by, before.override_expiry_date
        ) is distinct from (
            after.is_overridden, after.override_reason, after.overridden_by, after.override_expiry_date
        ) as is_other_override,
        -- what follows from the override, and which rules these are, is not compared
        struct_pack(
            account_id := before.account_id, owner_id := before.owner_id, segment := before.segment,
            base_score := before.base_score, points := before.points, score := before.score,
            score_low := before.score_low, score_high := before.score_high, coverage_pct := before.coverage_pct,
            bucket := before.model_bucket, decision := before.decision, conflict := before.conflict_reason,
            unknown := before.unknown_signals, review := before.review_rules, flags := before.flags,
            arr := before.arr_usd
        ) is distinct from struct_pack(
            account_id := after.account_id, owner_id := after.owner_id, segment := after.segment,
            base_score := after.base_score, points := after.points, score := after.score,
            score_low := after.score_low, score_high := after.score_high, coverage_pct := after.coverage_pct,
            bucket := after.model_bucket, decision := after.decision, conflict := after.conflict_reason,
            unknown := after.unknown_signals, review := after.review_rules, flags := after.flags,
            arr := after.arr_usd
        ) or reasons.account_id is not null as is_other_score,
        reasons.reasons
    from sides
    left join reasons
        on sides.account_id = reasons.account_id

)

select
    account_id,
    score_before,
    score_after,
    bucket_before,
    bucket_after,
    is_on_one_side,
    is_other_override,
    is_other_score,
    reasons
from compared
where is_other_override or is_other_score
order by account_id;

-- name: versions
select
    (select min(rule_set || ' ' || rule_version) from replay.{before}_history) as rules_before,
    (select min(rule_set || ' ' || rule_version) from replay.{after}_history) as rules_after,
    (select count(*) from replay.{before}_history) as accounts;
