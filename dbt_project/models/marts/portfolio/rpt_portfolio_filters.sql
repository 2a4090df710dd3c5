-- Grain: one row per filter of the portfolio, value and owner with such an account on the newest as-of date.
-- A table, for it is small and asked with every page of the portfolio.
with

accounts as (

    select * from {{ ref('rpt_portfolio_accounts') }}

),

choices as (

    select
        'segment' as filter,
        segment_group as value,
        segment_group as label,
        owner_id
    from accounts
    union all
    select
        'owner' as filter,
        owner_group as value,
        owner_name as label,
        owner_id
    from accounts
    union all
    select
        'plan' as filter,
        plan_group as value,
        plan_group as label,
        owner_id
    from accounts
    union all
    select
        'renewal' as filter,
        renewal_group as value,
        replace(renewal_group, '-', ' ') as label,
        owner_id
    from accounts
    union all
    -- a parent for whoever has one of its children; its name is that of an account, its id where nobody scores it
    select
        'parent' as filter,
        hierarchy.parent_account_id as value,
        coalesce(parents.account_name, hierarchy.parent_account_id) as label,
        accounts.owner_id
    from accounts
    inner join {{ ref('rpt_account_hierarchy') }} as hierarchy
        on accounts.account_id = hierarchy.account_id
    left join accounts as parents
        on hierarchy.parent_account_id = parents.account_id
    where hierarchy.parent_account_id is not null

),

final as (

    select
        filter,
        value,
        owner_id,
        coalesce(max(label), value) as label
    from choices
    group by filter, value, owner_id

)

select * from final
