-- The page Audit.

-- name: entries
-- Entries of this person's accounts, and those that are about no account; the newest first.
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
    (entries.account_id is null or [[mine accounts.owner_id]])
    and ($before::bigint is null or entries.sequence < $before)
    and ($kind::varchar is null or entries.kind = $kind)
    and ($actor::varchar is null or contains(lower(entries.actor), lower($actor)))
    and (
        $account::varchar is null
        or entries.account_id = $account
        or contains(lower(accounts.account_name), lower($account))
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
        row_number() over (order by sequence) as place
    from audit.entries
),

counted as (
    select
        count(*) as entries,
        min(sequence) filter (
            where sequence <> place or previous_hash <> coalesce(hash_before, repeat('0', 64))
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
