-- How what My day and Account show is drawn from the published copy, one JSON text an account and piece; a part of
-- the accounts at a time ($first to $last), so that it takes no more memory than there is.
-- name: accounts
with

points as (

    select
        account_id,
        list(score order by as_of_date) as scores
    from marts.fct_health_history
    where as_of_date > $month_ago and account_id between $first and $last
    group by account_id

),

actions as (

    select
        account_id,
        list({
            'action_id': action_id, 'play': play, 'channel': channel, 'status': status,
            'suppressed_by': suppressed_by, 'mode': mode, 'mode_reason': mode_reason, 'next_action': next_action,
            'evidence': evidence, 'due_at': due_at, 'is_overdue': is_overdue, 'needs_approval': needs_approval, 'started_on': episode_started_on
        } order by priority, action_id) as actions
    from open_actions
    where account_id between $first and $last
    group by account_id

),

spot_checks as (

    select
        account_id,
        max({
            'iso_week': iso_week, 'as_of_date': as_of_date, 'flags': flags, 'evidence': evidence,
            'verdict': verdict, 'reviewed_by': reviewed_by
        }) as spot_check
    from marts.rpt_spot_checks
    where as_of_date > $week_ago and account_id between $first and $last
    group by account_id

)

select
    health.account_id,
    health.owner_id,
    coalesce(health.account_name, health.account_id),
    concat_ws(' ', health.account_name, health.account_id, health.owner_name),
    queue.rank_overall,
    work.rank_overall, work.state, work.needs_person, work.is_at_risk, work.has_to_approve, work.is_ready_to_grow,
    work.is_spot_check, work.has_overdue,
    to_json({
        'health': struct_update(health, account_name := coalesce(health.account_name, health.account_id)),
        'queue': queue, 'work': work, 'scores': points.scores, 'actions': actions.actions,
        'mail': mail_facts.mail, 'spot_check': spot_checks.spot_check
    })
from marts.rpt_account_health as health
left join marts.rpt_review_queue as queue on health.account_id = queue.account_id
left join work_list as work on health.account_id = work.account_id
left join points on health.account_id = points.account_id
left join actions on health.account_id = actions.account_id
left join mail_facts on health.account_id = mail_facts.account_id
left join spot_checks on health.account_id = spot_checks.account_id
where health.account_id between $first and $last;

-- name: work_list
create temp view work_list as select * from marts.rpt_work_list;

-- name: no_work_list
-- A copy of an earlier release: its review queue, in the order that it has.
create temp table work_list (
    account_id varchar, rank_overall bigint, place_reason varchar, needs_person boolean, is_at_risk boolean,
    has_to_approve boolean, is_ready_to_grow boolean, is_spot_check boolean, has_overdue boolean, state varchar,
    reopened_because varchar, last_act varchar, last_verdict varchar, acted_by varchar, acted_at timestamp,
    until_date date
);
insert into work_list by name
select account_id, rank_overall, true as needs_person, bucket = 'at_risk' as is_at_risk, 'new' as state
from marts.rpt_review_queue;

-- name: labels
select kind, value, label from marts.rpt_labels;

-- name: missing_data
select feed, state, last_arrived_at, newest_fact_date, attention_rank, owner_id, accounts from marts.rpt_missing_data;

-- name: hierarchy
select account_id, parent_account_id, owner_id, score, to_json(tree)
from marts.rpt_account_hierarchy as tree;

-- name: portfolio
-- The accounts as Portfolio lists, filters and counts them; names are in the order of their letters, without case and
-- accents.
select
    account_id,
    account_name,
    owner_id,
    owner_name,
    segment_group,
    owner_group,
    plan_group,
    renewal_group,
    segment,
    plan_id,
    arr_usd,
    score,
    score_low,
    score_high,
    bucket,
    decision,
    is_overridden,
    delta_7d,
    days_to_renewal,
    reason_1,
    flags,
    healthy,
    watch,
    at_risk,
    healthy_arr_usd,
    watch_arr_usd,
    at_risk_arr_usd,
    strip_accents(lower(account_name)) as name_order,
    strip_accents(lower(owner_name)) as owner_order
from marts.rpt_portfolio_accounts;

-- name: portfolio_marks
-- What an account has several of: the rules that fire for it and its flags.
select 'rule' as kind, rule_id as value, account_id
from marts.rpt_fired_rules
union
select 'flag', unnest(string_split(flags, ', ')), account_id
from marts.rpt_portfolio_accounts;

-- name: work_states
select * from marts.rpt_work_states;

-- name: no_work_states
-- What ended the work on an account in earlier releases.
select
    kind,
    verdict,
    'done' as state
from (
    values
    ('sign_off', 'agree'), ('sign_off', 'disagree'), ('override', ''),
    ('outcome', 'right'), ('outcome', 'too_early'), ('outcome', 'wrong')
) as states (kind, verdict);

-- name: open_actions
-- A copy of an earlier release has neither is_overdue nor needs_approval.
create temp view open_actions as select * from marts.rpt_open_actions
union all by name select false as is_overdue, false as needs_approval where false;

-- name: no_open_actions
-- A copy of an earlier release: its actions are not shown.
create temp table open_actions (
    account_id varchar, action_id varchar, play varchar, channel varchar, status varchar, suppressed_by varchar,
    mode varchar, mode_reason varchar, next_action varchar, evidence varchar, due_at timestamp,
    is_overdue boolean, needs_approval boolean, episode_started_on date, priority bigint
);

-- name: mail_facts
-- The facts of drafts, as deliveries read them.
create temp table mail_facts as select account_id, facts as mail from marts.rpt_mail_facts as facts;

-- name: no_mail_facts
-- A copy of an earlier release: its drafts are not shown.
create temp table mail_facts (account_id varchar, mail varchar);

-- name: parts
select min(account_id), max(account_id) from (
    select account_id, (row_number() over (order by account_id) - 1) // $accounts as part
    from marts.rpt_account_health
)
group by part order by part;

-- name: landed_at
select max(loaded_at)
from audit.loads
where source_file like $file and status <> 'refused';

-- name: bounds
select watch_from::double, healthy_from::double
from seeds.rule_sets
where status = $status;

-- name: owners
select distinct owner_id, owner_name
from marts.rpt_account_health
where owner_id is not null;

-- name: ledgers
select account_id, to_json(list(ledger order by result, points, rule_number))
from marts.rpt_evidence_ledger as ledger
where account_id between $first and $last
group by account_id;

-- name: kept_days
-- The days on which something differs from the day before, and both ends of scored dates without a gap, so that a
-- year stays short. In numbers alone, as this looks at every day of every account at once.
create temp table kept_days as
with

days as (

    select
        hash(account_id) as account,
        as_of_date,
        hash(score, score_low, score_high, bucket, is_overridden, rule_version, unknown_signals, override_reason)
            as recorded
    from marts.fct_health_history
    where as_of_date > $year_ago

),

compared as (

    select
        account,
        as_of_date,
        recorded is distinct from lag(recorded) over account_days as is_changed,
        as_of_date - lag(as_of_date) over account_days as days_since,
        lead(as_of_date) over account_days - as_of_date as days_until
    from days
    window account_days as (partition by account order by as_of_date)

)

select
    account,
    as_of_date,
    coalesce(days_since > 1, false) as is_gap
from compared
where is_changed or days_since is distinct from 1 or days_until is distinct from 1;

-- name: years
select
    history.account_id,
    to_json(list({
        'day': as_of_date, 'score': score, 'low': score_low, 'high': score_high, 'bucket': bucket,
        'model_bucket': model_bucket, 'is_overridden': is_overridden, 'overridden_by': overridden_by,
        'override_reason': override_reason, 'rule_version': rule_version, 'unknown': unknown_signals,
        'is_gap': is_gap
    } order by as_of_date))
from kept_days
inner join marts.fct_health_history as history using (as_of_date)
where kept_days.account = hash(history.account_id)
group by history.account_id;

-- name: changes
select
    account_id,
    to_json(list({
        'day': as_of_date, 'compared_with': compared_with, 'before': score_before, 'after': score_after,
        'change': change, 'behaviour': behaviour, 'new_data': new_data, 'late_data': late_data,
        'rule_change': rule_change, 'coverage': coverage, 'reasons': reasons
    } order by as_of_date))
from marts.fct_score_changes
where as_of_date > $year_ago and account_id between $first and $last
group by account_id;

-- name: families
select account_id, to_json(list(families order by position))
from marts.rpt_account_families as families
where account_id between $first and $last
group by account_id;

-- name: links
select account_id, to_json(list(links order by object, object_id))
from marts.rpt_record_links as links
where account_id between $first and $last
group by account_id;

-- name: facts
-- The newest $most of each kind: a page, not an archive. In no order, as events are.
select account_id, to_json(list(facts))
from (
    select * from marts.rpt_account_facts
    where account_id between $first and $last
    qualify row_number() over (partition by account_id, kind order by happened_at desc, fact_id) <= $most
) as facts
group by account_id;

-- name: events
-- In no order, which the page makes: a list of many rows in order takes more memory than there is.
select account_id, to_json(list(events))
from marts.rpt_account_timeline as events
where account_id between $first and $last and position <= $newest
group by account_id;

-- name: briefs
select account_id, to_json(briefs)
from marts.rpt_account_briefs as briefs
where account_id between $first and $last;

-- name: conflicts
select account_id, to_json(list(conflicts order by field))
from marts.fct_source_conflicts as conflicts
where as_of_date = $as_of and account_id between $first and $last
group by account_id;

-- name: overrides
select account_id, to_json(list(overrides order by overridden_at desc))
from marts.rpt_override_scoreboard as overrides
where account_id between $first and $last
group by account_id;
