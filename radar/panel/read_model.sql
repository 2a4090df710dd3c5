-- How what My day and Account show is drawn from the published copy, one JSON text an account and piece; a part of
-- the accounts at a time ($first to $last), so that it takes no more memory than there is.
-- name: accounts
with

points as (

    select
        account_id,
        list(score order by as_of_date) as scores
    from marts.fct_health_history
    where as_of_date > $as_of - 30 and account_id between $first and $last
    group by account_id

),

actions as (

    select
        account_id,
        list({
            'action_id': action_id, 'play': play, 'channel': channel, 'status': status,
            'suppressed_by': suppressed_by, 'mode': mode, 'mode_reason': mode_reason, 'next_action': next_action,
            'evidence': evidence, 'due_at': due_at, 'started_on': episode_started_on
        } order by priority, action_id) as actions
    from marts.fct_actions
    where
        as_of_date = $as_of
        and status in ('ready', 'to_approve', 'suppressed')
        and account_id between $first and $last
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
    where as_of_date > $as_of - 7 and account_id between $first and $last
    group by account_id

)

select
    health.account_id,
    health.owner_id,
    coalesce(health.account_name, health.account_id),
    concat_ws(' ', health.account_name, health.account_id, health.owner_name),
    queue.rank_overall,
    queue.rank_for_owner,
    to_json({
        'health': struct_update(health, account_name := coalesce(health.account_name, health.account_id)),
        'queue': queue, 'scores': points.scores, 'actions': actions.actions,
        'mail': case when mail_facts.account_id is not null then mail_facts end,
        'spot_check': spot_checks.spot_check
    })
from marts.rpt_account_health as health
left join marts.rpt_review_queue as queue on health.account_id = queue.account_id
left join points on health.account_id = points.account_id
left join actions on health.account_id = actions.account_id
left join mail_facts on health.account_id = mail_facts.account_id
left join spot_checks on health.account_id = spot_checks.account_id
where health.account_id between $first and $last;

-- name: mailed_accounts
-- Those of which somebody reads a draft.
select distinct account_id
from marts.fct_actions
where
    as_of_date = $as_of
    and channel = 'mail_draft'
    and status = 'to_approve'
    and account_id between $first and $last
order by account_id;

-- name: mail_facts
-- The facts of a draft, by the query that deliveries ask, and what may be known of whom it goes to.
create or replace temp table mail_facts as
select
    facts.*,
    contacts.account_id is not null as has_contact,
    coalesce(contacts.has_name, false) as has_name
from ({facts}) as facts
left join mail_contacts as contacts on facts.account_id = contacts.account_id;

-- name: no_mail_facts
-- A copy of an earlier version has not all facts of a draft: its drafts are not shown.
create or replace temp table mail_facts (account_id varchar);

-- name: mail_contacts
create temp view mail_contacts as
select account_id, has_name
from intermediate.int_mail_contacts;

-- name: any_contacts
-- A copy from before it held to which accounts a mail can go: to any.
create temp view mail_contacts as
select account_id, true as has_name
from marts.rpt_account_health;

-- name: parts
select
    min(account_id),
    max(account_id)
from (
    select
        account_id,
        (row_number() over (order by account_id) - 1) // $accounts as part
    from marts.rpt_account_health
)
group by part
order by part;

-- name: landed_at
select max(loaded_at)
from audit.loads
where source_file like $file and status <> 'refused';

-- name: bounds
select watch_from::double, healthy_from::double
from seeds.rule_sets
where status = 'champion';

-- name: owners
select distinct owner_id, owner_name
from marts.rpt_account_health
where owner_id is not null;

-- name: ledgers
with

states as (

    select
        states.signal,
        states.is_known,
        states.observed_at,
        states.unknown_because,
        signals.feeds,
        signals.label,
        signals.unit
    from intermediate.int_signal_states as states
    left join seeds.signals as signals on states.signal = signals.signal
    where states.as_of_date = $as_of

),

-- the score before it is clamped to 0 to 100
sums as (

    select
        evidence.account_id,
        max(rule_sets.base_score) + sum(evidence.points) as total
    from marts.fct_health_evidence as evidence
    inner join seeds.rule_sets as rule_sets on evidence.rule_set = rule_sets.rule_set
    where evidence.as_of_date = $as_of and evidence.account_id between $first and $last
    group by evidence.account_id

)

select
    evidence.account_id,
    to_json(list({
        'rule_id': evidence.rule_id, 'result': evidence.result, 'points': evidence.points::double,
        -- what the score could come to; a rule without a limit could take it to the end of the scale
        'score_low': case
            when evidence.points_low <= -100 then 0
            else greatest(least(sums.total + evidence.points_low, 100), 0)
        end::double,
        'score_high': case
            when evidence.points_high >= 100 then 100
            else greatest(least(sums.total + evidence.points_high, 100), 0)
        end::double,
        'flag': evidence.flag, 'signal': evidence.signal, 'label': states.label, 'unit': states.unit,
        'observed_value': evidence.observed_value, 'threshold': evidence.threshold,
        'conditions': evidence.conditions, 'is_own_goal': evidence.is_own_goal, 'evidence': evidence.evidence,
        'observed_at': states.observed_at, 'feeds': states.feeds, 'unknown_because': states.unknown_because
    } order by evidence.result, evidence.points, evidence.rule_number))
from marts.fct_health_evidence as evidence
left join states on evidence.signal = states.signal
left join sums on evidence.account_id = sums.account_id
where evidence.as_of_date = $as_of and evidence.account_id between $first and $last
group by evidence.account_id;

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
    where as_of_date > $as_of - 366

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
where as_of_date > $as_of - 366 and account_id between $first and $last
group by account_id;

-- name: facts
-- At most 50 of each kind, newest first: a page, not an archive.
select
    account_id,
    to_json(list({
        'kind': kind, 'fact_id': fact_id, 'happened_at': happened_at, 'closed_at': closed_at, 'state': state,
        'detail': detail, 'amount_usd': amount_usd
    } order by kind, happened_at desc))
from (
    select * from marts.rpt_account_facts
    where account_id between $first and $last
    qualify row_number() over (partition by account_id, kind order by happened_at desc, fact_id) <= 50
)
group by account_id;

-- name: conflicts
select
    account_id,
    to_json(list({
        'field': field, 'crm_value': crm_value, 'other_value': other_value, 'other_source': other_source,
        'used_source': used_source, 'reason': reason
    } order by field))
from marts.fct_source_conflicts
where as_of_date = $as_of and account_id between $first and $last
group by account_id;

-- name: overrides
select
    account_id,
    to_json(list({
        'override_id': override_id, 'overridden_by': overridden_by, 'overridden_at': overridden_at,
        'reason': reason, 'bucket': override_bucket, 'expiry_date': expiry_date, 'outcome': outcome,
        'who_was_right': who_was_right
    } order by overridden_at desc))
from marts.rpt_override_scoreboard
where account_id between $first and $last
group by account_id;
