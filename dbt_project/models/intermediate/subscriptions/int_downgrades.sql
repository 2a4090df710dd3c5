-- Grain: one row per change of a subscription to a plan of lower rank or to a smaller monthly amount.
with

subscriptions as (

    select * from {{ ref('stg_billing__subscriptions') }}

),

plans as (

    select * from {{ ref('plans') }}

),

changes as (

    select
        subscriptions.subscription_id,
        subscriptions.account_id,
        subscriptions.updated_at as changed_at,
        subscriptions.mrr_usd,
        plans.rank as plan_rank,
        lag(subscriptions.mrr_usd) over (
            partition by subscriptions.subscription_id
            order by subscriptions.updated_at
        ) as mrr_usd_before,
        lag(plans.rank) over (
            partition by subscriptions.subscription_id
            order by subscriptions.updated_at
        ) as plan_rank_before
    from subscriptions
    left join plans
        on subscriptions.plan_id = plans.plan_id
    where subscriptions.deleted_date is null

),

final as (

    select
        subscription_id,
        account_id,
        changed_at,
        cast(changed_at as date) as changed_date
    from changes
    where
        plan_rank < plan_rank_before
        or mrr_usd < mrr_usd_before

)

select * from final
