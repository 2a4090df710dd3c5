-- Grain: one row per account and account above it in the CRM on the newest as-of date, by parent_account_id; and one
-- without an ancestor for each account that is in a cycle: its parents lead back to itself, so it has none.
-- A parent that was merged into another account is that account. `distance`: 1 for the parent; at most
-- settings.hierarchy_levels.
with recursive

accounts as (

    select
        versions.account_id,
        nullif(
            coalesce(aliases.resolved_account_id, versions.parent_account_id), versions.account_id
        ) as parent_account_id
    from {{ ref('int_account_versions') }} as versions
    left join {{ source('crm', 'account_aliases') }} as aliases
        on
            versions.parent_account_id = aliases.account_id
            and aliases.source = 'crm'
    where
        {{ as_of_end() }} between versions.valid_from_date and versions.valid_to_date
        and not versions.is_deleted

),

-- from each account upwards; `ways` ends where a way has closed a cycle
ways as (

    select
        account_id,
        parent_account_id as ancestor_id,
        1 as distance
    from accounts
    where parent_account_id in (select known.account_id from accounts as known)
    union all
    select
        ways.account_id,
        accounts.parent_account_id as ancestor_id,
        ways.distance + 1 as distance
    from ways
    inner join accounts
        on ways.ancestor_id = accounts.account_id
    where
        accounts.parent_account_id in (select known.account_id from accounts as known)
        and ways.ancestor_id <> ways.account_id
        and ways.distance < {{ setting('hierarchy_levels') }}

),

in_cycles as (

    select distinct account_id
    from ways
    where ancestor_id = account_id

),

first_cycles as (

    select
        ways.account_id,
        min(ways.distance) as distance
    from ways
    inner join in_cycles
        on ways.ancestor_id = in_cycles.account_id
    group by ways.account_id

),

-- a way ends at the first account that is in a cycle; one in a cycle has no way
ancestors as (

    select
        ways.account_id,
        ways.ancestor_id,
        min(ways.distance) as distance
    from ways
    left join in_cycles
        on ways.account_id = in_cycles.account_id
    left join first_cycles
        on ways.account_id = first_cycles.account_id
    where
        in_cycles.account_id is null
        and ways.distance <= coalesce(first_cycles.distance, ways.distance)
    group by ways.account_id, ways.ancestor_id

),

final as (

    select
        account_id,
        ancestor_id,
        distance,
        false as is_in_cycle
    from ancestors
    union all
    select
        account_id,
        null as ancestor_id,
        null as distance,
        true as is_in_cycle
    from in_cycles

)

select * from final
