-- Grain: one row per scored account and as_of_date, also for accounts that never sent an event.
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals([
        'days_since_key_feature', 'key_features_used_90d', 'adoption_milestones', 'advanced_events_30d',
        'premium_usage_14d_pct'
    ]) }}

),

activity as (

    select * from {{ ref('int_account_activity__as_of') }}

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('days_since_key_feature', days_between(
            'coalesce(activity.last_key_feature_date, accounts.created_date)', 'accounts.as_of_date'
        )) }},
        {{ if_known('key_features_used_90d', 'activity.key_features_90d') }},
        {{ if_known('adoption_milestones', 'activity.adoption_milestones') }},
        {{ if_known('advanced_events_30d', 'activity.advanced_30d') }},
        {{ if_known('premium_usage_14d_pct', pct_change('activity.premium_before_14d', 'activity.premium_14d')) }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    inner join activity
        on
            accounts.account_id = activity.account_id
            and accounts.as_of_date = activity.as_of_date

)

select * from final
