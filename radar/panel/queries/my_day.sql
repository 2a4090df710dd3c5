-- On the file of `radar.panel.read_model`.
-- $overlay: what people decided since its data landed, {account_id: {state, ...}}.
-- name: queue
-- The review queue, for agents.
select accounts.account_id, accounts.account_name, bodies.body
from accounts
inner join bodies on accounts.account_id = bodies.account_id
where
    accounts.queue_rank is not null
    and [[mine accounts.owner_id]]
    and ($owner_id is null or accounts.owner_id = $owner_id)
order by accounts.queue_rank
limit 60;

-- name: listed
-- The accounts of the work list as they are now: what starts `counts` and `tab`.
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

-- name: counts
-- Of each tab, without what is snoozed. An approval, a spot check and a task past its time are open also where the
-- account is done.
select
    count(*) filter (where needs_person and state_now in ('new', 'working')) as day,
    count(*) filter (where is_at_risk and state_now in ('new', 'working')) as at_risk,
    count(*) filter (where approve_now and state_now <> 'snoozed') as approve,
    count(*) filter (where is_ready_to_grow and state_now in ('new', 'working')) as grow,
    count(*) filter (where check_now and state_now <> 'snoozed') as checks,
    count(*) filter (where overdue_now and state_now <> 'snoozed') as overdue,
    count(*) filter (where state_now = 'waiting') as waiting
from listed;

-- name: tab
-- The accounts of one tab: $states is a JSON list of states, the accounts are in the order of the work list.
select
    shown.account_id,
    shown.account_name,
    shown.state,
    bodies.body
from (
    select account_id, account_name, state_now as state, rank_overall
    from listed
    where
        state_now in (select value from json_each($states))
        and case $tab
            when 'at_risk' then is_at_risk
            when 'approve' then approve_now
            when 'grow' then is_ready_to_grow
            when 'checks' then check_now
            when 'overdue' then overdue_now
            when 'waiting' then true
            else needs_person
        end
    order by rank_overall
    limit $most offset $first
) as shown
inner join bodies on shown.account_id = bodies.account_id
order by shown.rank_overall;

-- name: decided
-- The accounts of the overlay in one of $states, in the order of the work list. A cross join keeps SQLite from
-- looking through all accounts for these few.
select
    accounts.account_id,
    accounts.account_name,
    coalesce(decided.value ->> 'state', accounts.state) as state,
    bodies.body
from json_each($overlay) as decided
cross join accounts on decided.key = accounts.account_id
cross join bodies on accounts.account_id = bodies.account_id
where
    accounts.rank_overall is not null
    and [[mine accounts.owner_id]]
    and ($owner_id is null or accounts.owner_id = $owner_id)
    and coalesce(decided.value ->> 'state', accounts.state) in (select value from json_each($states))
order by accounts.rank_overall
limit $most;

-- name: bodies
-- Accounts by their ids, a JSON list.
select accounts.account_id, bodies.body
from accounts
inner join bodies on accounts.account_id = bodies.account_id
where accounts.account_id in (select value from json_each($account_ids)) and [[mine accounts.owner_id]];

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
    newest_fact_date,
    sum(accounts) as accounts
from missing_data
where [[mine owner_id]] and ($owner_id is null or owner_id = $owner_id)
group by feed, state, last_arrived_at, newest_fact_date, attention_rank
order by attention_rank, feed;

-- name: owners
select owner_id, owner_name
from owners
where [[mine owner_id]]
order by owner_name, owner_id;
