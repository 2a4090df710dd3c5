-- Grain: one row per scored account and as_of_date.
-- An account is scored from the day it was created until it is deleted, except on days on which it is churned:
-- it has subscriptions that started by then and all of them are canceled.
{{ config(meta={'is_chunked': true, 'is_gathered': true, 'is_read_by_day': true}) }}
with

dates as (

    select * from {{ ref('int_as_of_dates') }}

),

versions as (

    select * from {{ ref('int_account_versions') }}

),

subscriptions as (

    select * from {{ ref('int_subscription_states') }}

),

final as (

    select
        -- ids
        versions.account_id,
        dates.as_of_date,
        versions.owner_id,

        -- attributes
        versions.segment,
        lower(versions.lifecycle_stage) = 'churned' as is_churned_in_crm,
        versions.plan_id as crm_plan_id,
        versions.arr_usd as crm_arr_usd,
        subscriptions.live_plan_id as billing_plan_id,
        cast(12 * subscriptions.live_mrr_usd as decimal(18, 6)) as billing_arr_usd,
        cast(coalesce(12 * subscriptions.live_mrr_usd, versions.arr_usd) as decimal(18, 6)) as arr_usd,
        coalesce(subscriptions.live_subscriptions, 0) > 0 as has_live_subscription,

        -- dates
        cast(versions.created_at as date) as created_date
    from dates
    inner join versions
        on dates.as_of_date between versions.valid_from_date and versions.valid_to_date
    left join subscriptions
        on
            versions.account_id = subscriptions.account_id
            and dates.as_of_date between subscriptions.valid_from_date and subscriptions.valid_to_date
    where
        cast(versions.created_at as date) <= dates.as_of_date
        and not versions.is_deleted
        and not coalesce(subscriptions.is_churned, false)

)

select * from final
