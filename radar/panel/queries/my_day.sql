-- On the file of `radar.panel.read_model`.
-- $overlay: what people decided since its data landed, {account_id: {state, ...}}.
-- name: queue
-- The review queue, for agents.
select account_id, account_name, body
from accounts
where
    queue_rank is not null
    and [[mine owner_id]]
    and ($owner_id is null or owner_id = $owner_id)
order by queue_rank
limit 60;

-- name: counts
-- Of each tab, without what is snoozed. An approval, a spot check and a task past its time are open also where the
-- account is done.
with

decided as (

    select
        key as account_id,
        value ->> 'state' as state,
        value ->> 'has_to_approve' as has_to_approve,
        value ->> 'is_spot_check' as is_spot_check,
        value ->> 'has_overdue' as has_overdue
    from json_each($overlay)

),

listed as (

    select
        accounts.*,
        coalesce(decided.state, accounts.state) as state_now,
        coalesce(decided.has_to_approve, accounts.has_to_approve) as approve_now,
        coalesce(decided.is_spot_check, accounts.is_spot_check) as check_now,
        coalesce(decided.has_overdue, accounts.has_overdue) as overdue_now
    from accounts
    left join decided on accounts.account_id = decided.account_id
    where
        accounts.rank_overall is not null
        and [[mine accounts.owner_id]]
        and ($owner_id is null or accounts.owner_id = $owner_id)

)

select
    count(*) filter (where needs_person and state_now in ('new', 'working')) as day,
    count(*) filter (where is_at_risk and state_now in ('new', 'working')) as at_risk,
    count(*) filter (where approve_now and state_now <> 'snoozed') as approve,
    count(*) filter (where is_ready_to_grow and state_now in ('new', 'working')) as grow,
    count(*) filter (where check_now and state_now <> 'snoozed') as checks,
    count(*) filter (where overdue_now and state_now <> 'snoozed') as overdue,
    count(*) filter (where state_now = 'waiting') as waiting
from listed;

-- name: listed
-- The accounts of one tab: $states is a JSON list of states, the accounts are in the order of the work list.
with

decided as (

    select
        key as account_id,
        value ->> 'state' as state,
        value ->> 'has_to_approve' as has_to_approve,
        value ->> 'is_spot_check' as is_spot_check,
        value ->> 'has_overdue' as has_overdue
    from json_each($overlay)

)

select
    accounts.account_id,
    accounts.account_name,
    coalesce(decided.state, accounts.state) as state,
    accounts.body
from accounts
left join decided on accounts.account_id = decided.account_id
where
    accounts.rank_overall is not null
    and [[mine accounts.owner_id]]
    and ($owner_id is null or accounts.owner_id = $owner_id)
    and coalesce(decided.state, accounts.state) in (select value from json_each($states))
    and case $tab
        when 'at_risk' then accounts.is_at_risk
        when 'approve' then coalesce(decided.has_to_approve, accounts.has_to_approve)
        when 'grow' then accounts.is_ready_to_grow
        when 'checks' then coalesce(decided.is_spot_check, accounts.is_spot_check)
        when 'overdue' then coalesce(decided.has_overdue, accounts.has_overdue)
        when 'waiting' then true
        when 'decided' then decided.account_id is not null
        else accounts.needs_person
    end
order by accounts.rank_overall
limit $most offset $first;

-- name: bodies
-- Accounts by their ids, a JSON list.
select account_id, body
from accounts
where account_id in (select value from json_each($account_ids)) and [[mine owner_id]];

-- name: owners_of
select account_id, owner_id, account_name
from accounts
where account_id in (select value from json_each($account_ids)) and [[mine owner_id]];

-- name: missing_data
-- Feeds that leave accounts undecided.
select
    feed,
    state,
    last_arrived_at,
    sum(accounts) as accounts
from missing_data
where [[mine owner_id]] and ($owner_id is null or owner_id = $owner_id)
group by feed, state, last_arrived_at, attention_rank
order by attention_rank, feed;

-- name: owners
select owner_id, owner_name
from owners
where [[mine owner_id]]
order by owner_name, owner_id;
