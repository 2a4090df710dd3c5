-- The page Quality.

-- name: has_outreach
-- for everyone
select count(*) > 0 as is_there
from information_schema.tables
where
    table_schema = 'marts'
    and table_name = 'rpt_outreach_times'

-- name: outreach
-- By flag, over the recorded episodes; where nobody was reached, no time counts.
select
    flag,
    count(*) as episodes,
    histogram(outcome) as outcomes,
    count(*) filter (where is_in_time) as in_time,
    median(hours_to_outreach) as median_hours
from marts.rpt_outreach_times
where [[mine owner_id]]
group by flag
order by episodes desc, flag

-- name: has_rule_checks
-- for everyone
select count(*) = 2 as is_there
from information_schema.tables
where
    table_schema = 'marts'
    and table_name in ('rpt_rule_set_checks', 'rpt_rules_off')

-- name: findings
-- for everyone
select finding
from marts.rpt_rule_set_checks
where is_over_limit
order by check_name

-- name: rules_off
-- for everyone
select *
from marts.rpt_rules_off
order by rule_id

-- name: agreement
-- for everyone
select *
from marts.rpt_review_agreement
order by period desc
limit 13

-- name: marked
select
    coalesce(bucket, 'not recorded') as bucket,
    count(*) as marked,
    histogram(verdict) as verdicts
from marts.rpt_marked_outcomes
where [[mine owner_id]]
group by bucket
order by marked desc, bucket

-- name: overrides
select
    who_was_right,
    count(*) as overrides
from marts.rpt_override_scoreboard
where [[mine owner_id]]
group by who_was_right
order by overrides desc, who_was_right

-- name: weeks
select
    iso_week,
    min(week_start_date) as week_start_date,
    sum(accounts) as accounts,
    sum(overrides) as overrides,
    sum(tasks) as tasks,
    100.0 * sum(tasks) / nullif(sum(accounts), 0) as tasks_per_100_accounts
from marts.rpt_workload_weekly
where [[mine owner_id]]
group by iso_week
order by iso_week desc
limit 26

-- name: decisions
select
    as_of_date,
    sum(accounts) as accounts,
    sum(undecided) as undecided,
    sum(conflict) as conflict,
    sum(overridden) as overridden,
    sum(coverage_pct_accounts) / sum(accounts) as coverage_pct
from marts.rpt_open_decisions_daily
where
    [[mine owner_id]]
    and as_of_date > $since
group by as_of_date
order by as_of_date

-- name: why
-- What keeps accounts from being decided.
select
    decision,
    min(label) as label,
    min(feeds) as feeds,
    count(*) as accounts
from marts.rpt_undecided_reasons
where [[mine owner_id]]
group by decision, reason
order by accounts desc, decision, label

-- name: coverage
-- for everyone
select * from marts.rpt_join_coverage
order by rows_resolved_pct, feed

-- name: feeds
-- for everyone
select *
from marts.rpt_feed_states
order by attention_rank, feed

-- name: refused
-- for everyone
select *
from marts.rpt_refused_rows
order by refused_rows desc, feed, source_file, rule, column_name
limit $rows

-- name: refused_totals
-- for everyone
select
    refused,
    sum(refused_rows) as refused_rows
from marts.rpt_refused_rows
group by refused

-- name: refused_files
-- for everyone
select count(distinct source_file) as files
from marts.rpt_refused_rows

-- name: has_column_findings
-- for everyone
select count(*) > 0 as is_there
from information_schema.tables
where
    table_schema = 'marts'
    and table_name = 'rpt_column_findings'

-- name: columns
-- for everyone
select * from marts.rpt_column_findings
order by is_in_newest_files desc, attention_rank, feed, column_name

-- name: has_schema_changes
-- for everyone
select count(*) > 0 as is_there
from information_schema.tables
where
    table_schema = 'marts'
    and table_name = 'rpt_schema_changes'

-- name: schema_changes
-- for everyone
select * from marts.rpt_schema_changes
order by is_current desc, last_found_at desc, attention_rank, feed, column_name

-- name: excluded
-- for everyone
select * from marts.rpt_excluded
order by seed_row

-- name: lookalike_ids
-- for everyone
select * from marts.rpt_lookalike_ids
order by feed, column_name, other_feed, other_column_name

-- name: unknown_amounts
-- for everyone
select * from marts.rpt_unknown_amounts
order by feed, currency

-- name: checks
-- for everyone
with latest as (
    select
        feed,
        max(batch_id) as batch_id
    from audit.checks
    group by feed
)

select
    checks.feed,
    max(checks.checked_at) as checked_at,
    count(*) filter (where checks.success) as passed,
    count(*) filter (where not checks.success and checks.severity = 'critical') as critical,
    count(*) filter (where not checks.success and checks.severity <> 'critical') as others
from audit.checks as checks
inner join latest
    on
        checks.feed = latest.feed
        and checks.batch_id = latest.batch_id
group by checks.feed
order by critical desc, others desc, checks.feed

-- name: failures
-- for everyone
with latest as (
    select
        feed,
        max(batch_id) as batch_id
    from audit.checks
    group by feed
)

select
    checks.feed,
    checks.check_name,
    checks.severity,
    checks.unexpected_count,
    checks.action
from audit.checks as checks
inner join latest
    on
        checks.feed = latest.feed
        and checks.batch_id = latest.batch_id
where not checks.success
order by
    case checks.severity when 'critical' then 0 when 'warning' then 1 else 2 end,
    checks.feed,
    checks.check_name
limit 50

-- name: runs
-- for everyone
with loads as (
    select
        run_id,
        count(*) as files,
        sum(bytes) as bytes,
        sum(rows_landed) as rows_landed,
        sum(rows_rejected) as rows_rejected
    from audit.loads
    group by run_id
)

select
    runs.run_id,
    runs.started_at,
    runs.as_of_start,
    runs.as_of_end,
    runs.status,
    date_diff('millisecond', runs.started_at, runs.finished_at) / 1000.0 as seconds,
    coalesce(loads.files, 0) as files,
    coalesce(loads.bytes, 0) as bytes,
    coalesce(loads.rows_landed, 0) as rows_landed,
    coalesce(loads.rows_rejected, 0) as rows_rejected
from audit.runs as runs
left join loads
    on runs.run_id = loads.run_id
order by runs.started_at desc
limit 20

-- name: this_run
-- for everyone
select
    count(*) as files,
    coalesce(sum(bytes), 0) as bytes,
    coalesce(sum(rows_landed), 0) as rows_landed,
    coalesce(sum(rows_rejected), 0) as rows_rejected
from audit.loads
where run_id = $run_id

-- name: holdouts
-- for everyone
select * from marts.rpt_holdout_effects
order by play, measure

-- name: shadows
select
    shadow_rule_set,
    min(champion_rule_set) as champion_rule_set,
    count(*) as accounts,
    count(*) filter (where is_better) as better,
    count(*) filter (where is_worse) as worse,
    count(*) filter (where is_other_decision) as other_decision,
    avg(score_difference) as mean_difference
from marts.rpt_rule_set_differences
where [[mine owner_id]]
group by shadow_rule_set
order by shadow_rule_set
