-- Grain: one row per account and as_of_date, for every account that is scored on any day of this build.
-- Every window is a running sum: a fact adds to a measure on the day it enters the window and takes it away on
-- the day it leaves, so many as-of dates cost one pass and a day costs its windows.
with

dates as (

    select * from {{ ref('int_as_of_dates') }}

),

scored_accounts as (

    select distinct account_id from {{ ref('int_accounts__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

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
        between {{ add_days(as_of_start(), -89) }} and {{ as_of_end() }}

),

account_days as (

    select
        account_id,
        activity_date,
        sum(events) as events,
        sum(events) filter (where is_login) as logins,
        sum(events) filter (where is_premium) as premium_events,
        sum(events) filter (where is_advanced) as advanced_events,
        bool_or(is_key_feature) as has_key_feature
    from user_days
    group by account_id, activity_date

),

-- how many days after a fact a window lets it go
steps (days_later) as (

    values (0), (7), (14), (28), (30)

),

account_day_changes as (

    select
        account_days.account_id,
        {{ add_days('account_days.activity_date', 'steps.days_later') }} as day,
        case steps.days_later when 0 then logins when 7 then -1 * logins end as logins_7d,
        case steps.days_later when 0 then logins when 30 then -1 * logins end as logins_30d,
        case steps.days_later when 0 then 1 when 7 then -1 end as active_days_7d,
        case steps.days_later when 0 then 1 when 30 then -1 end as active_days_30d,
        case steps.days_later when 0 then events when 14 then -1 * events end as events_14d,
        case steps.days_later when 14 then events when 28 then -1 * events end as events_before_14d,
        case steps.days_later when 0 then premium_events when 14 then -1 * premium_events end as premium_14d,
        case steps.days_later when 14 then premium_events when 28 then -1 * premium_events end as premium_before_14d,
        case steps.days_later when 0 then advanced_events when 30 then -1 * advanced_events end as advanced_30d
    from account_days
    cross join steps
    where
        account_days.activity_date >= {{ add_days(as_of_start(), -29) }}
        and {{ add_days('account_days.activity_date', 'steps.days_later') }} <= {{ as_of_end() }}

),

-- a user, or a key feature, counts from a day until its window ends or the next such day takes over
user_spells as (

    select
        account_id,
        activity_date as entered_date,
        least(
            {{ add_days('activity_date', 30) }},
            lead(activity_date) over (
                partition by account_id, user_id
                order by activity_date
            )
        ) as left_date
    from (
        select distinct
            account_id,
            user_id,
            activity_date
        from user_days
        where
            user_id is not null
            and activity_date >= {{ add_days(as_of_start(), -29) }}
    ) as days_of_users

),

feature_spells as (

    select
        account_id,
        activity_date as entered_date,
        least(
            {{ add_days('activity_date', 90) }},
            lead(activity_date) over (
                partition by account_id, event_name
                order by activity_date
            )
        ) as left_date
    from (
        select distinct
            account_id,
            event_name,
            activity_date
        from user_days
        where is_key_feature
    ) as days_of_features

),

distinct_changes as (

    select
        account_id,
        entered_date as day,
        1 as active_users_30d,
        0 as key_features_90d
    from user_spells
    union all
    select
        account_id,
        left_date as day,
        -1 as active_users_30d,
        0 as key_features_90d
    from user_spells
    union all
    select
        account_id,
        entered_date as day,
        0 as active_users_30d,
        1 as key_features_90d
    from feature_spells
    union all
    select
        account_id,
        left_date as day,
        0 as active_users_30d,
        -1 as key_features_90d
    from feature_spells

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

milestone_changes as (

    select
        account_id,
        min(first_date) as day,
        1 as adoption_milestones
    from event_bounds
    where milestone is not null
    group by account_id, milestone

),

-- the last day of a name by the first as-of date; where it happened since, the kept days are asked
last_days_before as (

    select
        account_id,
        is_login,
        is_key_feature,
        case
            when last_date <= {{ as_of_start() }} then last_date
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
        and kept.activity_date <= {{ as_of_start() }}
        and event_bounds.last_date > {{ as_of_start() }}
        and (event_bounds.is_login or event_bounds.is_key_feature)
    group by
        kept.account_id,
        event_bounds.is_login,
        event_bounds.is_key_feature

),

last_day_changes as (

    select
        account_id,
        {{ as_of_start() }} as day,
        case when is_login then last_date end as last_login_date,
        case when is_key_feature then last_date end as last_key_feature_date
    from last_days_before
    where last_date is not null
    union all
    select
        account_id,
        activity_date as day,
        case when logins > 0 then activity_date end as last_login_date,
        case when has_key_feature then activity_date end as last_key_feature_date
    from account_days
    where activity_date >= {{ as_of_start() }}

),

{% set sums = [
    'logins_7d', 'logins_30d', 'active_days_7d', 'active_days_30d', 'events_14d', 'events_before_14d',
    'premium_14d', 'premium_before_14d', 'advanced_30d'
] -%}
changes as (

    select
        account_id,
        greatest(day, {{ as_of_start() }}) as as_of_date,
        {% for name in sums %}
        sum({{ name }}) as {{ name }},
        {% endfor %}
        cast(0 as bigint) as active_users_30d,
        cast(0 as bigint) as key_features_90d,
        cast(0 as bigint) as adoption_milestones,
        cast(null as date) as last_login_date,
        cast(null as date) as last_key_feature_date
    from account_day_changes
    group by account_id, greatest(day, {{ as_of_start() }})
    union all
    select
        account_id,
        greatest(day, {{ as_of_start() }}) as as_of_date,
        {% for name in sums %}
        0 as {{ name }},
        {% endfor %}
        sum(active_users_30d) as active_users_30d,
        sum(key_features_90d) as key_features_90d,
        0 as adoption_milestones,
        null as last_login_date,
        null as last_key_feature_date
    from distinct_changes
    where day <= {{ as_of_end() }}
    group by account_id, greatest(day, {{ as_of_start() }})
    union all
    select
        account_id,
        greatest(day, {{ as_of_start() }}) as as_of_date,
        {% for name in sums %}
        0 as {{ name }},
        {% endfor %}
        0 as active_users_30d,
        0 as key_features_90d,
        sum(adoption_milestones) as adoption_milestones,
        null as last_login_date,
        null as last_key_feature_date
    from milestone_changes
    where day <= {{ as_of_end() }}
    group by account_id, greatest(day, {{ as_of_start() }})
    union all
    select
        account_id,
        day as as_of_date,
        {% for name in sums %}
        0 as {{ name }},
        {% endfor %}
        0 as active_users_30d,
        0 as key_features_90d,
        0 as adoption_milestones,
        max(last_login_date) as last_login_date,
        max(last_key_feature_date) as last_key_feature_date
    from last_day_changes
    group by account_id, day

),

changed_days as (

    select
        account_id,
        as_of_date,
        {% for name in sums + ['active_users_30d', 'key_features_90d', 'adoption_milestones'] %}
        sum({{ name }}) as {{ name }},
        {% endfor %}
        max(last_login_date) as last_login_date,
        max(last_key_feature_date) as last_key_feature_date
    from changes
    group by account_id, as_of_date

),

days as (

    select
        scored_accounts.account_id,
        dates.as_of_date,
        {% for name in sums + ['active_users_30d', 'key_features_90d', 'adoption_milestones'] %}
        coalesce(changed_days.{{ name }}, 0) as {{ name }},
        {% endfor %}
        changed_days.last_login_date,
        changed_days.last_key_feature_date
    from scored_accounts
    cross join dates
    left join changed_days
        on
            scored_accounts.account_id = changed_days.account_id
            and dates.as_of_date = changed_days.as_of_date

),

final as (

    select
        account_id,
        as_of_date,
        {% for name in sums + ['active_users_30d', 'key_features_90d', 'adoption_milestones'] %}
        cast(sum({{ name }}) over running as bigint) as {{ name }},
        {% endfor %}
        max(last_login_date) over running as last_login_date,
        max(last_key_feature_date) over running as last_key_feature_date
    from days
    window running as (
        partition by account_id
        order by as_of_date
        rows between unbounded preceding and current row
    )

)

select * from final
