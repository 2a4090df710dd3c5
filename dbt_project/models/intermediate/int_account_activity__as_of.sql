-- Grain: one row per account and as_of_date, for every account that may be scored on a day of this build.
-- Many as-of dates cost one pass: what happened is summed over frames of calendar rows; what can only be counted
-- distinct enters on a day and leaves on a day, and runs up.
with

-- not asked of int_accounts__as_of: the two are then built at the same time
scored_accounts as (

    select distinct versions.account_id
    from {{ ref('int_account_versions') }} as versions
    left join {{ ref('int_subscription_states') }} as churned
        on
            versions.account_id = churned.account_id
            and churned.is_churned
            and churned.valid_from_date <= {{ signals_start() }}
            and churned.valid_to_date >= {{ as_of_end() }}
    where
        not versions.is_deleted
        and cast(versions.created_at as date) <= {{ as_of_end() }}
        and versions.valid_from_date <= {{ as_of_end() }}
        and versions.valid_to_date >= {{ signals_start() }}
        and churned.account_id is null

),

product_events as (

    select * from {{ ref('product_events') }}

),

user_days as (

    select
        user_days.account_id,
        user_days.user_id,
        user_days.event_name,
        user_days.activity_date,
        user_days.events,
        coalesce(product_events.is_login, false) as is_login,
        coalesce(product_events.is_key_feature, false) as is_key_feature,
        coalesce(product_events.is_premium, false) as is_premium,
        coalesce(product_events.is_advanced, false) as is_advanced
    from {{ ref('int_user_days') }} as user_days
    left join product_events
        on user_days.event_name = product_events.event_name
    where
        user_days.events > 0
        and user_days.activity_date
        between {{ add_days(signals_start(), -89) }} and {{ as_of_end() }}

),

-- counts are DOUBLE, exact for whole numbers up to 2^53: summing those over frames takes a third less time
account_days as (

    select
        account_id,
        activity_date,
        cast(sum(events) as double) as events,
        cast(sum(events) filter (where is_login) as double) as logins,
        cast(sum(events) filter (where is_premium) as double) as premium_events,
        cast(sum(events) filter (where is_advanced) as double) as advanced_events,
        bool_or(is_key_feature) as has_key_feature
    from user_days
    where activity_date >= {{ add_days(signals_start(), -29) }}
    group by account_id, activity_date

),

-- a user, or a key feature, counts for so many days from each day on which it is seen: it enters on a day before which
-- it did not count, and leaves where no such day follows in time
user_days_between as (

    select
        account_id,
        activity_date,
        lag(activity_date) over days_of_user as date_before,
        lead(activity_date) over days_of_user as next_date
    from (
        select distinct
            account_id,
            user_id,
            activity_date
        from user_days
        where
            user_id is not null
            and activity_date >= {{ add_days(signals_start(), -29) }}
    ) as days_of_users
    window days_of_user as (partition by account_id, user_id order by activity_date)

),

feature_days_between as (

    select
        account_id,
        activity_date,
        lag(activity_date) over days_of_feature as date_before,
        lead(activity_date) over days_of_feature as next_date
    from (
        select distinct
            account_id,
            event_name,
            activity_date
        from user_days
        where is_key_feature
    ) as days_of_features
    window days_of_feature as (partition by account_id, event_name order by activity_date)

),

event_bounds as (

    select
        event_bounds.*,
        coalesce(product_events.is_login, false) as is_login,
        coalesce(product_events.is_key_feature, false) as is_key_feature,
        product_events.milestone
    from {{ ref('int_event_bounds') }} as event_bounds
    inner join product_events
        on event_bounds.event_name = product_events.event_name

),

-- the last day of a name by the first as-of date; where it happened since, the kept days are asked
last_days_before as (

    select
        account_id,
        is_login,
        is_key_feature,
        case
            when last_date <= {{ signals_start() }} then last_date
            else last_purged_date
        end as last_date
    from event_bounds
    where is_login or is_key_feature
    union all
    select
        kept.account_id,
        event_bounds.is_login,
        event_bounds.is_key_feature,
        max(kept.activity_date) as last_date
    from {{ ref('int_user_days') }} as kept
    inner join event_bounds
        on
            kept.account_id = event_bounds.account_id
            and kept.event_name = event_bounds.event_name
    where
        kept.events > 0
        and kept.activity_date <= {{ signals_start() }}
        and event_bounds.last_date > {{ signals_start() }}
        and (event_bounds.is_login or event_bounds.is_key_feature)
    group by
        kept.account_id,
        event_bounds.is_login,
        event_bounds.is_key_feature

),

-- what changes how many there are, or which was the last, from a day on
changes as (

    select
        account_id,
        activity_date as day,
        1 as active_users_30d,
        0 as key_features_90d,
        0 as adoption_milestones,
        cast(null as date) as last_login_date,
        cast(null as date) as last_key_feature_date
    from user_days_between
    where date_before is null or date_before < {{ add_days('activity_date', -30) }}
    union all
    select
        account_id,
        {{ add_days('activity_date', 30) }} as day,
        -1 as active_users_30d,
        0 as key_features_90d,
        0 as adoption_milestones,
        null as last_login_date,
        null as last_key_feature_date
    from user_days_between
    where next_date is null or next_date > {{ add_days('activity_date', 30) }}
    union all
    select
        account_id,
        activity_date as day,
        0 as active_users_30d,
        1 as key_features_90d,
        0 as adoption_milestones,
        null as last_login_date,
        null as last_key_feature_date
    from feature_days_between
    where date_before is null or date_before < {{ add_days('activity_date', -90) }}
    union all
    select
        account_id,
        {{ add_days('activity_date', 90) }} as day,
        0 as active_users_30d,
        -1 as key_features_90d,
        0 as adoption_milestones,
        null as last_login_date,
        null as last_key_feature_date
    from feature_days_between
    where next_date is null or next_date > {{ add_days('activity_date', 90) }}
    union all
    select
        account_id,
        min(first_date) as day,
        0 as active_users_30d,
        0 as key_features_90d,
        1 as adoption_milestones,
        null as last_login_date,
        null as last_key_feature_date
    from event_bounds
    where milestone is not null
    group by account_id, milestone
    union all
    select
        account_id,
        {{ signals_start() }} as day,
        0 as active_users_30d,
        0 as key_features_90d,
        0 as adoption_milestones,
        case when is_login then last_date end as last_login_date,
        case when is_key_feature then last_date end as last_key_feature_date
    from last_days_before

),

changed_days as (

    select
        account_id,
        greatest(day, {{ signals_start() }}) as day,
        cast(sum(active_users_30d) as double) as active_users_30d,
        cast(sum(key_features_90d) as double) as key_features_90d,
        cast(sum(adoption_milestones) as double) as adoption_milestones,
        max(last_login_date) as last_login_date,
        max(last_key_feature_date) as last_key_feature_date
    from changes
    where day <= {{ as_of_end() }}
    group by account_id, greatest(day, {{ signals_start() }})

),

days as (

    {{ date_range(add_days(signals_start(), -29), as_of_end()) }}

),

account_calendar as (

    select
        scored_accounts.account_id,
        days.day,
        coalesce(account_days.logins, 0) as logins,
        coalesce(account_days.events, 0) as events,
        coalesce(account_days.premium_events, 0) as premium_events,
        coalesce(account_days.advanced_events, 0) as advanced_events,
        cast(case when account_days.events > 0 then 1 else 0 end as double) as active_days,
        coalesce(changed_days.active_users_30d, 0) as active_users,
        coalesce(changed_days.key_features_90d, 0) as key_features,
        coalesce(changed_days.adoption_milestones, 0) as milestones,
        greatest(
            changed_days.last_login_date, case when account_days.logins > 0 then days.day end
        ) as last_login_date,
        greatest(
            changed_days.last_key_feature_date, case when account_days.has_key_feature then days.day end
        ) as last_key_feature_date
    from scored_accounts
    cross join days
    left join account_days
        on
            scored_accounts.account_id = account_days.account_id
            and days.day = account_days.activity_date
    left join changed_days
        on
            scored_accounts.account_id = changed_days.account_id
            and days.day = changed_days.day

),

-- the calendar has every day of an account, so a window of n days is a frame of n rows
summed as (

    select
        account_id,
        day as as_of_date,
        sum(logins) over last_7 as logins_7d,
        sum(logins) over last_30 as logins_30d,
        sum(active_days) over last_7 as active_days_7d,
        sum(active_days) over last_30 as active_days_30d,
        sum(events) over last_14 as events_14d,
        sum(events) over before_14 as events_before_14d,
        sum(premium_events) over last_14 as premium_14d,
        sum(premium_events) over before_14 as premium_before_14d,
        sum(advanced_events) over last_30 as advanced_30d,
        sum(active_users) over until_now as active_users_30d,
        sum(key_features) over until_now as key_features_90d,
        sum(milestones) over until_now as adoption_milestones,
        max(last_login_date) over until_now as last_login_date,
        max(last_key_feature_date) over until_now as last_key_feature_date
    from account_calendar
    window
        last_7 as (partition by account_id order by day rows between 6 preceding and current row),
        last_14 as (partition by account_id order by day rows between 13 preceding and current row),
        before_14 as (partition by account_id order by day rows between 27 preceding and 14 preceding),
        last_30 as (partition by account_id order by day rows between 29 preceding and current row),
        until_now as (partition by account_id order by day rows between unbounded preceding and current row)

),

final as (

    select
        account_id,
        as_of_date,
        {% for name in [
            'logins_7d', 'logins_30d', 'active_days_7d', 'active_days_30d', 'events_14d', 'events_before_14d',
            'premium_14d', 'premium_before_14d', 'advanced_30d', 'active_users_30d', 'key_features_90d',
            'adoption_milestones'
        ] %}
        cast({{ name }} as bigint) as {{ name }},
        {% endfor %}
        last_login_date,
        last_key_feature_date
    from summed
    where as_of_date >= {{ signals_start() }}

)

select * from final
