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
    count(*) filter (where outcome = 'reached') as reached,
    count(*) filter (where outcome = 'waiting') as waiting,
    count(*) filter (where outcome = 'never') as never,
    count(*) filter (where outcome = 'not_known') as not_known,
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
order by period = 'overall' desc, period desc
limit 13

-- name: marked
select
    coalesce(bucket, 'not recorded') as bucket,
    count(*) as marked,
    count(*) filter (where verdict = 'right') as marked_right,
    count(*) filter (where verdict = 'too_early') as too_early,
    count(*) filter (where verdict = 'wrong') as wrong
from marts.rpt_marked_outcomes
where [[mine owner_id]]
group by all
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
    coalesce(sum(accounts) filter (where decision = 'undecided'), 0) as undecided,
    coalesce(sum(accounts) filter (where decision = 'conflict'), 0) as conflict,
    sum(overridden_accounts) as overridden,
    sum(mean_coverage_pct * accounts) / sum(accounts) as coverage_pct
from marts.rpt_decisions_daily
where
    [[mine owner_id]]
    and as_of_date > $as_of::date - 91
group by as_of_date
order by as_of_date

-- name: why
-- What keeps accounts from being decided: a signal that is not known, or a field on which sources contradict.
with unknown as (
    select unnest(string_split(unknown_signals, ', ')) as signal
    from marts.rpt_account_health
    where
        [[mine owner_id]]
        and decision = 'undecided'
        and unknown_signals is not null
)

select
    'undecided' as decision,
    coalesce(min(signals.label), unknown.signal) as label,
    coalesce(min(signals.feeds), '') as feeds,
    count(*) as accounts
from unknown
left join seeds.signals as signals
    on unknown.signal = signals.signal
group by unknown.signal
union all
select
    'conflict',
    conflicts.field,
    min('crm, ' || conflicts.other_source),
    count(distinct conflicts.account_id)
from marts.fct_source_conflicts as conflicts
inner join marts.rpt_account_health as accounts
    on
        conflicts.account_id = accounts.account_id
        and conflicts.as_of_date = accounts.as_of_date
where
    [[mine accounts.owner_id]]
    and accounts.decision = 'conflict'
    and conflicts.used_source is null
group by conflicts.field
order by accounts desc, decision, label

-- name: feeds
-- for everyone
select *
from marts.rpt_feed_states
order by
    case state when 'held' then 0 when 'stale' then 1 when 'never_landed' then 2 when 'known' then 3 else 4 end,
    feed

-- name: refused
-- for everyone
select *
from marts.rpt_refused_rows
order by refused_rows desc, feed, source_file, rule, column_name
limit $rows

-- name: refused_totals
-- for everyone
select
    coalesce(sum(refused_rows) filter (where refused = 'row'), 0) as refused_rows,
    coalesce(sum(refused_rows) filter (where refused = 'value'), 0) as refused_values,
    count(distinct source_file) as files
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
select *
from marts.rpt_column_findings
order by
    is_in_newest_files desc,
    case finding when 'misnamed' then 0 when 'gone' then 1 else 2 end,
    feed,
    column_name

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

-- name: shadows
select
    shadow_rule_set,
    min(champion_rule_set) as champion_rule_set,
    count(*) as accounts,
    count(*) filter (where bucket_difference > 0) as better,
    count(*) filter (where bucket_difference < 0) as worse,
    count(*) filter (where is_other_decision) as other_decision,
    avg(score_difference) as mean_difference
from marts.fct_rule_set_comparison
where [[mine owner_id]]
group by shadow_rule_set
order by shadow_rule_set
