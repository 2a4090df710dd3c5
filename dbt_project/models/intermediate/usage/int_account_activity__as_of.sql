-- Grain: one row per account and as_of_date, for every account that may be scored on a day of this build.
-- Many as-of dates cost one pass: what happened runs up over the days on which anything changes, and only then are
-- there rows of every day. What happened in a window is the total of its last day less that of the day before it; what
-- can only be counted distinct enters on a day and leaves on a day.
{% set first_day = add_days(signals_start(), -29) -%}
{% set measures = [
    'events', 'logins', 'premium_events', 'advanced_events', 'active_users', 'key_features', 'adoption_milestones'
] -%}
{% set last_dates = ['last_login_date', 'last_key_feature_date'] -%}
{# what happens, enters or leaves a count, or is the last of its kind, on which day -#}
{% set changes = [
    {
        'from': 'told_days', 'day': 'activity_date', 'where': 'true',
        'events': 'events',
        'logins': 'case when is_login then events else 0 end',
        'premium_events': 'case when is_premium then events else 0 end',
        'advanced_events': 'case when is_advanced then events else 0 end',
        'active_users': 'case when is_user_entering then 1 else 0 end',
        'last_login_date': 'case when is_login then activity_date end',
        'last_key_feature_date': 'case when is_key_feature then activity_date end',
    },
    {'from': 'told_days', 'day': add_days('activity_date', 30), 'where': 'is_user_leaving', 'active_users': '-1'},
    {'from': 'feature_days', 'day': 'activity_date', 'where': 'is_feature_entering', 'key_features': '1'},
    {'from': 'feature_days', 'day': add_days('activity_date', 90), 'where': 'is_feature_leaving', 'key_features': '-1'},
    {'from': 'milestones', 'day': 'first_date', 'where': 'true', 'adoption_milestones': '1'},
    {
        'from': 'last_days_before', 'day': signals_start(), 'where': 'true',
        'last_login_date': 'case when is_login then last_date end',
        'last_key_feature_date': 'case when is_key_feature then last_date end',
    },
    {'from': 'scored_accounts', 'day': first_day, 'where': 'true'},
] -%}
with

-- not asked of int_accounts__as_of: the two are then built at the same time
account_ids as (

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

-- rows of millions are grouped and sorted by a number, which takes less time than by a text
scored_accounts as (

    select
        account_id,
        cast(row_number() over (order by account_id) as integer) as account_number
    from account_ids

),

-- what happens under another id of an account counts for the account (raw.account_aliases)
counted_accounts as (

    select
        account_id,
        account_number
    from scored_accounts
    union all
    select
        aliases.account_id,
        scored_accounts.account_number
    from {{ source('crm', 'account_aliases') }} as aliases
    inner join scored_accounts
        on aliases.resolved_account_id = scored_accounts.account_id
    where aliases.source = 'product'

),

event_meanings as (

    select * from {{ ref('int_event_meanings') }}

),

-- a user, or a key feature, counts for so many days from each day on which it is seen: it enters on a day before which
-- it did not count, and leaves where no such day follows in time
told_days as (

    select
        counted_accounts.account_number,
        user_days.activity_date,
        user_days.events,
        event_meanings.is_login,
        event_meanings.is_key_feature,
        event_meanings.is_premium,
        event_meanings.is_advanced,
        user_days.user_id is not null and coalesce(
            lag(user_days.activity_date) over days_of_user < {{ add_days('user_days.activity_date', -30) }}, true
        ) as is_user_entering,
        user_days.user_id is not null and coalesce(
            lead(user_days.activity_date) over days_of_user > {{ add_days('user_days.activity_date', 30) }}, true
        ) as is_user_leaving
    from {{ ref('int_counted_user_days') }} as user_days
    inner join counted_accounts
        on user_days.account_id = counted_accounts.account_id
    left join event_meanings
        on user_days.event_name = event_meanings.event_name
    where
        user_days.events > 0
        and user_days.activity_date between {{ first_day }} and {{ as_of_end() }}
    window days_of_user as (
        partition by counted_accounts.account_number, user_days.user_id
        order by user_days.activity_date
    )

),

feature_days as (

    select
        counted_accounts.account_number,
        user_days.activity_date,
        coalesce(
            lag(user_days.activity_date) over days_of_feature < {{ add_days('user_days.activity_date', -90) }}, true
        ) as is_feature_entering,
        coalesce(
            lead(user_days.activity_date) over days_of_feature > {{ add_days('user_days.activity_date', 90) }}, true
        ) as is_feature_leaving
    from {{ ref('int_counted_user_days') }} as user_days
    inner join counted_accounts
        on user_days.account_id = counted_accounts.account_id
    inner join event_meanings
        on user_days.event_name = event_meanings.event_name
    where
        event_meanings.is_key_feature
        and user_days.events > 0
        and user_days.activity_date between {{ add_days(signals_start(), -89) }} and {{ as_of_end() }}
    window days_of_feature as (
        partition by counted_accounts.account_number, event_meanings.product_event
        order by user_days.activity_date
    )

),

event_bounds as (

    select
        event_bounds.*,
        counted_accounts.account_number,
        coalesce(event_meanings.is_login, false) as is_login,
        coalesce(event_meanings.is_key_feature, false) as is_key_feature,
        event_meanings.milestone
    from {{ ref('int_counted_event_bounds') }} as event_bounds
    inner join counted_accounts
        on event_bounds.account_id = counted_accounts.account_id
    inner join event_meanings
        on event_bounds.event_name = event_meanings.event_name

),

-- the last day of a name by the first as-of date; where it happened since, the kept days are asked
last_days_before as (

    select
        account_number,
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
        event_bounds.account_number,
        event_bounds.is_login,
        event_bounds.is_key_feature,
        max(kept.activity_date) as last_date
    from {{ ref('int_counted_user_days') }} as kept
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
        event_bounds.account_number,
        event_bounds.is_login,
        event_bounds.is_key_feature

),

milestones as (

    select
        account_number,
        min(first_date) as first_date
    from event_bounds
    where milestone is not null
    group by account_number, milestone

),

-- counts are DOUBLE, exact for whole numbers up to 2^53: summing those takes a third less time
changes as (

    {% for change in changes %}
    select
        account_number,
        {{ change['day'] }} as day{% for measure in measures %},
        cast({{ change.get(measure, '0') }} as double) as {{ measure }}{% endfor %}{% for date in last_dates %},
        cast({{ change.get(date, 'null') }} as date) as {{ date }}{% endfor %}
    from {{ change['from'] }}
    where {{ change['where'] }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

changed_days as (

    select
        account_number,
        greatest(day, {{ first_day }}) as day{% for measure in measures %},
        sum({{ measure }}) as {{ measure }}{% endfor %}{% for date in last_dates %},
        max({{ date }}) as {{ date }}{% endfor %}
    from changes
    where day <= {{ as_of_end() }}
    group by account_number, greatest(day, {{ first_day }})

),

-- totals since the first day, on each day on which they change
totals as (

    select
        account_number,
        day as valid_from_date,
        coalesce({{ add_days('lead(day) over until_now', -1) }}, {{ as_of_end() }}) as valid_to_date,
        {% for measure in measures %}
        sum({{ measure }}) over until_now as {{ measure }},
        {% endfor %}
        {% for date in last_dates %}
        max({{ date }}) over until_now as {{ date }},
        {% endfor %}
        sum(case when events > 0 then cast(1 as double) else 0 end) over until_now as active_days
    from changed_days
    window until_now as (
        partition by account_number
        order by day
        rows between unbounded preceding and current row
    )

),

account_calendar as (

    select
        *,
        {{ each_day('valid_from_date', 'valid_to_date') }} as day
    from totals

),

-- the calendar has every day of an account, so the total of n days ago is that of n rows before
summed as (

    select
        account_number,
        day as as_of_date,
        logins - lag(logins, 7, 0) over days_of_account as logins_7d,
        logins - lag(logins, 30, 0) over days_of_account as logins_30d,
        active_days - lag(active_days, 7, 0) over days_of_account as active_days_7d,
        active_days - lag(active_days, 30, 0) over days_of_account as active_days_30d,
        events - lag(events, 14, 0) over days_of_account as events_14d,
        lag(events, 14, 0) over days_of_account - lag(events, 28, 0) over days_of_account as events_before_14d,
        premium_events - lag(premium_events, 14, 0) over days_of_account as premium_14d,
        lag(premium_events, 14, 0) over days_of_account
        - lag(premium_events, 28, 0) over days_of_account as premium_before_14d,
        advanced_events - lag(advanced_events, 30, 0) over days_of_account as advanced_30d,
        active_users as active_users_30d,
        key_features as key_features_90d,
        adoption_milestones,
        last_login_date,
        last_key_feature_date
    from account_calendar
    window days_of_account as (partition by account_number order by day)

),

final as (

    select
        scored_accounts.account_id,
        summed.as_of_date,
        {% for name in [
            'logins_7d', 'logins_30d', 'active_days_7d', 'active_days_30d', 'events_14d', 'events_before_14d',
            'premium_14d', 'premium_before_14d', 'advanced_30d', 'active_users_30d', 'key_features_90d',
            'adoption_milestones'
        ] %}
        cast(summed.{{ name }} as bigint) as {{ name }},
        {% endfor %}
        summed.last_login_date,
        summed.last_key_feature_date
    from summed
    inner join scored_accounts
        on summed.account_number = scored_accounts.account_number
    where summed.as_of_date >= {{ signals_start() }}

)

select * from final
