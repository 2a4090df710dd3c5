-- The page Audit.

-- name: entries
-- Entries of this person's accounts, and those that are about no account, but for what agents asked about all of
-- somebody's accounts: only who sees all of them sees that. The newest first. Names are looked for without case and
-- accents, their words in any order; $owners: the ids of owners who are called so.
with actors as (
    select actors.actor
    from (select distinct actor from audit.entries) as actors
    cross join unnest($actor::varchar[]) as asked (word)
    group by actors.actor
    having bool_and(contains(strip_accents(lower(actors.actor)), strip_accents(lower(asked.word))))
),

named as (
    select accounts.account_id
    from marts.rpt_account_health as accounts
    cross join unnest(string_split($account::varchar, ' ')) as asked (word)
    group by accounts.account_id
    having bool_and(contains(strip_accents(lower(accounts.account_name)), strip_accents(lower(asked.word))))
)

select
    entries.sequence,
    entries.recorded_at,
    entries.run_id,
    entries.kind,
    entries.subject_id,
    entries.account_id,
    accounts.account_name,
    entries.as_of_date,
    entries.rule_set,
    entries.rule_version,
    entries.state,
    entries.evidence,
    entries.actor,
    entries.hash
from audit.entries as entries
left join marts.rpt_account_health as accounts
    on entries.account_id = accounts.account_id
where
    ((entries.account_id is null and entries.kind <> 'agent_call') or [[mine accounts.owner_id]])
    and ($before::bigint is null or entries.sequence < $before)
    and ($kind::varchar is null or entries.kind = $kind)
    and ($actor::varchar[] is null or entries.actor in (select actor from actors union all select unnest($owners::varchar[])))
    and (
        $account::varchar is null
        or entries.account_id = $account
        or entries.account_id in (select account_id from named)
    )
order by entries.sequence desc
limit $rows

-- name: kinds
-- for everyone
select distinct kind from audit.entries order by kind

-- name: chain
-- Whether every entry of this copy follows on the one before it, none missing.
-- for everyone
with linked as (
    select
        sequence,
        hash,
        previous_hash,
        lag(hash) over (order by sequence) as hash_before,
        row_number() over (order by sequence) as position
    from audit.entries
),

counted as (
    select
        count(*) as entries,
        min(sequence) filter (
            where sequence <> position or previous_hash <> coalesce(hash_before, repeat('0', 64))
        ) as broken_at
    from linked
),

checked as (
    select *
    from audit.chain_checks
    order by checked_at desc
    limit 1
)

select
    counted.entries,
    counted.broken_at,
    checked.checked_at,
    checked.run_id,
    checked.entries as checked_entries,
    checked.entries = 0 or exists (
        select 1
        from linked
        where
            linked.sequence = checked.entries
            and linked.hash = checked.last_hash
    ) as is_the_one_checked
from counted
left join checked
    on true
