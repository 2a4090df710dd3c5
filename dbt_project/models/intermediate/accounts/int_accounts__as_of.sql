-- Grain: one row per scored account and as_of_date.
-- An account is scored from the day it was created until it is deleted, except on days on which it is churned (it has
-- subscriptions that started by then and all of them are canceled), on days on which it has no live subscription and
-- a lifecycle stage of seeds/not_customers.csv, and while seeds/excluded.csv names it.
-- States are looked up once for each interval of days over which nothing changes, before rows of every day are made.
{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='append_new_columns') }}
with

versions as (

    select
        *,
        cast(created_at as date) as created_date,
        greatest(valid_from_date, cast(created_at as date), {{ as_of_start() }}) as first_date,
        least(valid_to_date, {{ as_of_end() }}) as last_date
    from {{ ref('int_account_versions') }}
    where not is_deleted

),

subscriptions as (

    select * from {{ ref('int_subscription_states') }}

),

change_days as (

    select
        account_id,
        first_date as day
    from versions
    where first_date <= last_date
    union
    select
        account_id,
        valid_from_date as day
    from subscriptions
    where valid_from_date > {{ as_of_start() }}
    union
    select
        account_id,
        {{ add_days('valid_to_date', 1) }} as day
    from subscriptions
    where valid_to_date between {{ as_of_start() }} and {{ add_days(as_of_end(), -1) }}

),

intervals as (

    select
        account_id,
        day as valid_from_date,
        coalesce(
            {{ add_days('lead(day) over (partition by account_id order by day)', -1) }},
            {{ as_of_end() }}
        ) as valid_to_date
    from change_days

),

states as (

    select
        -- ids
        versions.account_id,
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
        versions.created_date,
        intervals.valid_from_date,
        least(intervals.valid_to_date, versions.last_date) as valid_to_date
    from intervals
    inner join versions
        on
            intervals.account_id = versions.account_id
            and intervals.valid_from_date between versions.first_date and versions.last_date
    left join subscriptions
        on
            intervals.account_id = subscriptions.account_id
            and intervals.valid_from_date between subscriptions.valid_from_date and subscriptions.valid_to_date
    where {{ not_scored_reason() }} is null

),

unknown_days as (

    select * from {{ ref('int_account_unknown_days') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

final as (

    select
        -- ids
        states.account_id,
        dates.as_of_date,
        states.owner_id,

        -- attributes
        states.segment,
        states.is_churned_in_crm,
        states.crm_plan_id,
        states.crm_arr_usd,
        states.billing_plan_id,
        case
            when not {{ is_unknown_of_account('unknown_days', 'mrr_usd') }} then states.billing_arr_usd
        end as billing_arr_usd,
        case
            when {{ is_unknown_of_account('unknown_days', 'mrr_usd') }} then states.crm_arr_usd
            else states.arr_usd
        end as arr_usd,
        states.has_live_subscription,
        unknown_days.unknown_signals,

        -- dates
        states.created_date
    from states
    inner join {{ ref('int_as_of_dates') }} as dates
        on dates.as_of_date between states.valid_from_date and states.valid_to_date
    left join unknown_days
        on
            states.account_id = unknown_days.account_id
            and dates.as_of_date = unknown_days.as_of_date

)

select * from final
