-- What is due, and what was delivered. `$as_of` is the newest scored date, `$now` the moment of the run in UTC.

-- name: create
create schema if not exists audit;
create table if not exists audit.deliveries (
    sequence bigint,
    recorded_at timestamp,
    run_id varchar,
    as_of_date date,
    channel varchar,
    carrier varchar,
    kind varchar,
    delivery_key varchar,
    message_key varchar,
    action_id varchar,
    account_id varchar,
    owner_id varchar,
    content_hash varchar,
    status varchar,
    attempt integer,
    remote_id varchar,
    error varchar,
    next_attempt_at timestamp
);

-- name: create_decisions
-- How people resolved deliveries in doubt, one row per delivery; rows are only ever added.
create table if not exists audit.delivery_decisions (
    sequence bigint,
    decided_at timestamp,
    delivery_key varchar,
    message_key varchar,
    action_id varchar,
    account_id varchar,
    run_id varchar,
    as_of_date date,
    channel varchar,
    carrier varchar,
    decision varchar,
    reason varchar,
    decided_by varchar
);

-- name: in_doubt
-- Grain: one row per delivery of which nobody knows what became of it. Accounts are written again anyway.
create or replace temp view in_doubt as
select *
from audit.deliveries
where kind <> 'account'
qualify row_number() over (partition by delivery_key order by sequence desc) = 1 and status in ('attempting', 'in_doubt');

-- name: doubtful_messages
select
    message_key,
    min(channel) as channel,
    min(carrier) as carrier,
    list(distinct kind order by kind) as kinds,
    list(distinct account_id order by account_id) as accounts,
    min(recorded_at) as since,
    max(error) as error
from in_doubt
group by message_key
order by since, message_key;

-- name: decide
insert into audit.delivery_decisions
select
    row_number() over (order by sequence) + (select coalesce(max(sequence), 0) from audit.delivery_decisions),
    now() at time zone 'UTC', delivery_key, message_key, action_id, account_id, run_id, as_of_date, channel, carrier,
    $decision, $reason, $by
from in_doubt
where message_key = $message_key;

-- name: resolve
insert into audit.deliveries by name
select * replace (
    row_number() over (order by sequence) + (select max(sequence) from audit.deliveries) as sequence,
    now() at time zone 'UTC' as recorded_at,
    'person' as carrier,
    $status as status,
    cast(null as varchar) as remote_id,
    cast(null as varchar) as error,
    cast(null as timestamp) as next_attempt_at
)
from in_doubt
where message_key = $message_key;

-- name: state_counts
select channel, status, count(*) as items
from (
    select channel, delivery_key, arg_max(status, sequence) as status
    from audit.deliveries
    group by channel, delivery_key
)
group by channel, status
order by channel, status;

-- name: newest_day
-- The newest scored date: only of that date is anything delivered.
select max(as_of_date) from marts.fct_health_history;

-- name: due
-- Grain: one row per thing that is due and that its destination does not have.
--   alert     a slack_alert that is ready; one that a person decides too, for it is sent to that person
--   recovery  once, when the episode of an alert that was delivered is over; not while a person's override is active
--   reminder  once, when a task that was delivered is past its time and nobody reported it done
--   task      a crm_task that is ready, or that a person approved
--   draft     a mail_draft that waits for an approval
--   mail      a mail_draft that a person approved
--   guide     an in_app_guide or a survey that a person approved
-- What a person dropped or did is not due. What is suppressed today waits, also where it was approved.
with

last_states as (

    select
        delivery_key,
        arg_max(status, sequence) as status,
        arg_max(carrier, sequence) as carrier,
        arg_max(message_key, sequence) as message_key,
        arg_max(recorded_at, sequence) as recorded_at,
        arg_max_null(error, sequence) as error,
        arg_max(as_of_date, sequence) as as_of_date,
        arg_max(next_attempt_at, sequence) as next_attempt_at,
        max(attempt) as attempts
    from audit.deliveries
    where kind <> 'account'
    group by delivery_key

),

verdicts as (

    select
        action_id,
        arg_max(verdict, (reviewed_at, review_id)) as last_verdict,
        bool_or(verdict = 'approved') as is_approved
    from intermediate.int_reviews
    where kind = 'action'
    group by action_id

),

actions as (

    select
        actions.*,
        actions.status in ('ready', 'to_approve')
        and coalesce(verdicts.last_verdict not in ('dropped', 'done'), true)
        and actions.as_of_date = $as_of as is_wanted,
        actions.status = 'ready'
        or actions.channel = 'slack_alert'
        or coalesce(verdicts.is_approved, false) as is_free
    from marts.fct_actions as actions
    left join verdicts
        on actions.action_id = verdicts.action_id

),

candidates as (

    select
        case channel
            when 'slack_alert' then 'alert'
            when 'crm_task' then 'task'
            when 'mail_draft' then 'mail'
            else 'guide'
        end as kind,
        case channel
            when 'slack_alert' then 'slack'
            when 'crm_task' then 'tasks'
            when 'mail_draft' then 'mail'
            else 'webhook'
        end as delivery_channel,
        *
    from actions
    where is_wanted and is_free
    union all
    select
        'draft' as kind,
        'mail' as delivery_channel,
        *
    from actions
    where is_wanted and not is_free and channel = 'mail_draft'
    union all
    select
        'recovery' as kind,
        'slack' as delivery_channel,
        actions.*
    from actions
    inner join last_states
        on 'alert:' || actions.action_id = last_states.delivery_key
    left join marts.rpt_account_health as health
        on actions.account_id = health.account_id
    where
        actions.status = 'closed'
        and last_states.status in ('delivered', 'written', 'in_doubt')
        -- a person who overrides the bucket has not mended anything, nor is over what began again
        and not coalesce(health.is_overridden, false)
        and health.bucket is distinct from actions.bucket
    union all
    select
        'reminder' as kind,
        'slack' as delivery_channel,
        actions.*
    from actions
    inner join last_states
        on 'task:' || actions.action_id = last_states.delivery_key
    where
        actions.is_wanted
        and actions.is_free
        and actions.channel = 'crm_task'
        and actions.who = 'owner'
        and actions.due_at <= cast($as_of as timestamp) + interval 1 day
        and last_states.status in ('delivered', 'written', 'in_doubt')
        and last_states.as_of_date < $as_of

),

due as (

    select
        candidates.* exclude (channel),
        candidates.channel as play_channel,
        candidates.delivery_channel as channel,
        candidates.kind || ':' || candidates.action_id as delivery_key,
        last_states.status as last_status,
        last_states.carrier as last_carrier,
        last_states.message_key as last_message_key,
        last_states.recorded_at as last_recorded_at,
        last_states.error as last_error,
        coalesce(last_states.attempts, 0) as attempts
    from candidates
    left join last_states
        on candidates.kind || ':' || candidates.action_id = last_states.delivery_key
    where
        last_states.status is null
        or last_states.status in ('attempting', 'in_doubt', 'blocked')
        or (last_states.status = 'failed' and coalesce(last_states.next_attempt_at <= $now, true))

),

-- accounts have a row for each of their versions
names as (

    select
        account_id,
        arg_max(name, version_at) as name
    from staging.stg_crm__accounts
    where account_id in (select account_id from due)
    group by account_id

),

waiting as (

    select
        actions.owner_id,
        count(*) as waiting_actions
    from actions
    where actions.is_wanted and not actions.is_free
    group by actions.owner_id

)

select
    due.delivery_key,
    due.kind,
    due.channel,
    due.action_id,
    due.account_id,
    due.owner_id,
    cast(null as varchar) as content_hash,
    due.attempts,
    due.last_status,
    due.last_carrier,
    due.last_message_key,
    due.last_recorded_at,
    due.last_error,

    -- the action
    due.play,
    due.play_channel,
    due.who,
    due.priority,
    due.next_action,
    due.mode_reason,
    due.trigger,
    due.flag,
    due.evidence,
    due.episode_started_on,
    due.ended_on,
    due.due_at,
    due.as_of_date,

    -- the account as recorded for the newest scored date; null where it was not scored
    coalesce(health.account_name, names.name, due.account_id) as account_name,
    coalesce(health.bucket, due.bucket) as bucket,
    health.account_id is not null as is_scored,
    health.score,
    health.score_low,
    health.score_high,
    health.arr_usd,
    health.days_to_renewal,
    health.reason_1,
    health.reason_2,
    health.reason_3,
    health.reason_4,
    usage.days_since_login,
    cast($as_of as date) - cast(usage.days_since_login as integer) as last_login_date,

    -- its owner; null where it has none
    nullif(trim(owners.name), '') as owner_name,
    owners.email as owner_email,
    owners.slack_user_id,
    coalesce(waiting.waiting_actions, 0) as waiting_actions
from due
left join marts.rpt_account_health as health
    on due.account_id = health.account_id
left join names
    on due.account_id = names.account_id
left join signals.sig_usage as usage
    on due.account_id = usage.account_id and usage.as_of_date = $as_of
left join staging.stg_crm__owners as owners
    on due.owner_id = owners.owner_id and coalesce(owners.deleted_date > cast($as_of as date), true)
left join waiting
    on due.owner_id is not distinct from waiting.owner_id
order by due.channel, due.kind, due.priority, health.arr_usd desc nulls last, due.action_id;

-- name: digest_above
select value from seeds.settings where setting = 'digest_above';

-- name: limits
select setting, value
from seeds.settings
where setting in ('channel_refusals', 'channel_calls', 'channel_minutes');

-- name: mail_facts
-- Grain: one row per account: the facts in its mails except the contact's name, from relations that the published copy
-- has too, so that whoever reads a draft there reads what goes out. The active days are those of each week-long window
-- that was recorded in the last $days days, oldest first.
with

wanted as (

    select unnest(cast($accounts as varchar[])) as account_id

),

activity as (

    select
        account_id,
        list(active_days_7d order by as_of_date) as activity
    from signals.sig_usage
    where
        account_id in (select account_id from wanted)
        and as_of_date > $as_of - $days
        and as_of_date <= $as_of
        and active_days_7d is not null
    group by account_id

),

fired as (

    select
        account_id,
        list(rule_id order by points, rule_number) as rules
    from marts.fct_health_evidence
    where
        account_id in (select account_id from wanted)
        and as_of_date = $as_of
        and result = 'true'
    group by account_id

),

-- what the rules that fired offer to a customer; a segment's row without text uses the general one
guidance as (

    select
        evidence.account_id,
        arg_min(rules.guidance, (evidence.rule_number, rules.segment is null)) as guidance
    from marts.fct_health_evidence as evidence
    inner join seeds.rules as rules
        on evidence.rule_set = rules.rule_set and evidence.rule_id = rules.rule_id
    left join marts.rpt_account_health as health
        on evidence.account_id = health.account_id
    where
        evidence.account_id in (select account_id from wanted)
        and evidence.as_of_date = $as_of
        and evidence.result = 'true'
        and nullif(trim(rules.guidance), '') is not null
        and (rules.segment is null or rules.segment = health.segment)
    group by evidence.account_id

)

select
    wanted.account_id,
    coalesce(health.account_name, wanted.account_id) as account_name,
    nullif(trim(health.owner_name), '') as owner_name,
    coalesce(activity.activity, []) as activity,
    coalesce(fired.rules, []) as rules,
    guidance.guidance
from wanted
left join marts.rpt_account_health as health
    on wanted.account_id = health.account_id
left join activity
    on wanted.account_id = activity.account_id
left join fired
    on wanted.account_id = fired.account_id
left join guidance
    on wanted.account_id = guidance.account_id;

-- name: mail_contacts
-- Whom a mail goes to.
select
    account_id,
    email as contact_email,
    full_name as contact_name
from intermediate.int_mail_contacts
where account_id in (select unnest(cast($accounts as varchar[])));

-- name: accounts
-- Grain: one row per account whose mapped columns differ from what the CRM was last given through its API.
with

cells as (

    select
        {key} as account_id,
        {cells} as cells,
        md5(cast(to_json({compared}) as varchar)) as content_hash
    from {source}
    union all
    -- the CRM has it, and it is not scored any more
    select
        substr(delivery_key, 9) as account_id,
        null as cells,
        'gone' as content_hash
    from audit.deliveries
    where
        kind = 'account'
        and carrier = $carrier
        and status = 'delivered'
        and substr(delivery_key, 9) not in (select {key} from {source})
    group by delivery_key

),

last_states as (

    select
        delivery_key,
        arg_max(status, sequence) as status,
        arg_max(recorded_at, sequence) as recorded_at,
        arg_max(next_attempt_at, sequence) as next_attempt_at,
        arg_max(content_hash, sequence) as content_hash,
        max(attempt) as attempts
    from audit.deliveries
    where kind = 'account' and carrier = $carrier
    group by delivery_key

)

select
    'account:' || cells.account_id as delivery_key,
    'account' as kind,
    'accounts' as channel,
    cells.account_id,
    cast(null as varchar) as owner_id,
    cast(null as varchar) as action_id,
    cells.content_hash,
    coalesce(last_states.attempts, 0) as attempts,
    -- writing the same account again is harmless: what is in doubt is simply written again
    cast(null as varchar) as last_status,
    cast(null as varchar) as last_carrier,
    cast(null as varchar) as last_message_key,
    last_states.recorded_at as last_recorded_at,
    to_json(cells.cells) as cells
from cells
left join last_states
    on 'account:' || cells.account_id = last_states.delivery_key
where
    last_states.status is null
    or (last_states.status = 'delivered' and last_states.content_hash <> cells.content_hash)
    or last_states.status in ('attempting', 'in_doubt')
    or (last_states.status = 'failed' and coalesce(last_states.next_attempt_at <= $now, true))
order by cells.account_id;

-- name: next_attempt
-- When the first of what failed, or is to be looked up, is tried again; null where nothing waits.
select min(next_attempt_at)
from (
    select
        delivery_key,
        arg_max(status, sequence) as status,
        arg_max_null(next_attempt_at, sequence) as next_attempt_at
    from audit.deliveries
    group by delivery_key
)
where status in ('failed', 'in_doubt');
