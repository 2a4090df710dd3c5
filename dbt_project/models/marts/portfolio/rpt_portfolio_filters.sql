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
    -- a parent is for whoever sees it, not for all who see one of its children
    select
        'parent' as filter,
        account_id as value,
        coalesce(account_name, account_id) as label,
        owner_id
    from accounts
    where account_id in (select hierarchy.parent_account_id from {{ ref('rpt_account_hierarchy') }} as hierarchy)

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
