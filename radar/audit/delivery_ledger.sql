-- What was delivered, and what is due by the model rpt_due_deliveries. `$now` is the moment of the run in UTC.

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
from (select * from outbound.rpt_due_deliveries union all by name select * from outbound.rpt_due_mentions)
where not_before is null or not_before <= $now
order by position;

-- name: digest_above
select value from seeds.settings where setting = 'digest_above';

-- name: limits
select setting, value
from seeds.settings
where setting in ('channel_refusals', 'channel_calls', 'channel_minutes');

-- name: mail_facts
select * from marts.rpt_mail_facts
where account_id in (select unnest(cast($accounts as varchar[])));

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
    cast(null as varchar) as last_destination,
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
