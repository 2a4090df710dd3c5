-- Grain: one row per change of a subscription to a plan of lower rank or to a smaller monthly amount, and per change of
-- which it is not known whether it is one (`is_unknown`), because one of two amounts has no rate into USD.
-- Amounts of one currency are compared as they came: that needs no rate.
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
        subscriptions.currency,
        subscriptions.mrr_in_currency,
        subscriptions.mrr_usd,
        plans.rank as plan_rank,
        lag(subscriptions.currency) over versions as currency_before,
        lag(subscriptions.mrr_in_currency) over versions as mrr_in_currency_before,
        lag(subscriptions.mrr_usd) over versions as mrr_usd_before,
        lag(plans.rank) over versions as plan_rank_before
    from subscriptions
    left join plans
        on subscriptions.plan_id = plans.plan_id
    where subscriptions.deleted_date is null
    window versions as (partition by subscriptions.subscription_id order by subscriptions.updated_at)

),

compared as (

    select
        *,
        coalesce(plan_rank < plan_rank_before, false) as has_lower_rank,
        -- null where an amount is empty, which decides nothing, or has no rate
        case
            when currency = currency_before and currency <> 'XXX' then mrr_in_currency < mrr_in_currency_before
            else mrr_usd < mrr_usd_before
        end as has_smaller_amount
    from changes

),

final as (

    select
        subscription_id,
        account_id,
        changed_at,
        cast(changed_at as date) as changed_date,
        not has_lower_rank and has_smaller_amount is null as is_unknown
    from compared
    where
        has_lower_rank
        or coalesce(
            has_smaller_amount,
            mrr_in_currency is not null and mrr_in_currency_before is not null
        )

)

select * from final
