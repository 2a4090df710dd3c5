-- Grain: one row per account that has a parent or children in the CRM, on the newest as-of date.
-- An account whose parents lead back to itself has none: its group begins with it.
with

accounts as (

    select
        account_id,
        name,
        owner_id
    from {{ ref('int_account_versions') }}
    where
        {{ as_of_end() }} between valid_from_date and valid_to_date
        and not is_deleted

),

ancestors as (

    select * from {{ ref('int_account_ancestors') }}

),

health as (

    select
        account_id,
        account_name,
        score,
        bucket,
        arr_usd
    from {{ ref('rpt_account_health') }}

),

members as (

    select
        account_id as group_id,
        account_id,
        0 as distance
    from accounts
    union all
    select
        ancestor_id as group_id,
        account_id,
        distance
    from ancestors
    where not is_in_cycle

),

totals as (

    select
        members.group_id,
        count(*) filter (where members.distance = 1) as children,
        count(*) filter (where members.distance > 0) as descendants,
        count(*) filter (where members.distance > 0 and health.account_id is not null) as scored_descendants,
        cast(sum(cast(health.arr_usd as decimal(18, 2))) as double) as group_arr_usd,
        -- sums of decimals: those of doubles depend on the order of rows
        coalesce(
            cast(sum(cast(health.score * health.arr_usd as decimal(38, 9))) as double)
            / nullif(cast(sum(cast(health.arr_usd as decimal(18, 2))) as double), 0),
            avg(cast(health.score as decimal(18, 9)))
        ) as group_score,
        min_by(
            members.account_id, (health.score, -coalesce(health.arr_usd, 0), members.account_id)
        ) filter (where members.distance > 0 and health.account_id is not null) as worst_child_id
    from members
    left join health
        on members.account_id = health.account_id
    group by members.group_id

),

parents as (

    select
        ancestors.account_id,
        max(accounts.account_id) as parent_account_id,
        max(accounts.name) as parent_account_name,
        bool_or(ancestors.is_in_cycle) as is_in_cycle
    from ancestors
    left join accounts
        on ancestors.ancestor_id = accounts.account_id
    where
        ancestors.distance = 1
        or ancestors.is_in_cycle
    group by ancestors.account_id

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.name as account_name,
        accounts.owner_id,
        parents.parent_account_id,
        parents.parent_account_name,
        totals.worst_child_id as worst_child_account_id,
        worst.account_name as worst_child_name,

        -- measures
        totals.children,
        totals.descendants,
        totals.scored_descendants,
        own.score,
        own.bucket,
        own.arr_usd,
        totals.group_score,
        totals.group_arr_usd,
        worst.score as worst_child_score,
        worst.bucket as worst_child_bucket,

        -- attributes
        coalesce(parents.is_in_cycle, false) as is_in_cycle,

        -- dates
        {{ as_of_end() }} as as_of_date
    from accounts
    inner join totals
        on accounts.account_id = totals.group_id
    left join parents
        on accounts.account_id = parents.account_id
    left join health as own
        on accounts.account_id = own.account_id
    left join health as worst
        on totals.worst_child_id = worst.account_id
    where
        totals.children > 0
        or parents.account_id is not null

)

select * from final
