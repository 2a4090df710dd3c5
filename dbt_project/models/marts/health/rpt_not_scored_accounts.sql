-- Grain: one row per account that exists on the newest as-of date and is not scored on it.
-- Guarantees that no account is both here and in rpt_account_health.
with

versions as (

    select * from {{ ref('int_account_versions') }}
    where
        {{ as_of_end() }} between valid_from_date and valid_to_date
        and cast(created_at as date) <= {{ as_of_end() }}
        and not is_deleted

),

subscriptions as (

    select * from {{ ref('int_subscription_states') }}
    where {{ as_of_end() }} between valid_from_date and valid_to_date

),

reasons as (

    select
        versions.*,
        {{ not_scored_reason() }} as reason
    from versions
    left join subscriptions
        on versions.account_id = subscriptions.account_id

),

final as (

    select
        -- ids
        account_id,
        name as account_name,
        owner_id,
        owner_name,

        -- attributes
        segment,
        lifecycle_stage,
        reason,
        case reason
            when 'excluded' then excluded_because
            when 'left' then 'All of its subscriptions are canceled'
            else 'No live subscription, and the CRM says ' || lifecycle_stage
        end as detail,

        -- dates
        {{ as_of_end() }} as as_of_date
    from reasons
    where reason is not null

)

select * from final
