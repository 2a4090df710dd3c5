-- Grain: one row per metric, slice, account and case (a date, or an action), with its week: overrides, tasks, and
-- whether actions were done in time. n is how often it was asked for, hits how often it was done, or how many tasks.
-- The slice is `all`; of follow_through also each owner of actions. is_open until Sunday: the week is not over.
with

known as (

    select max(known_until_date) as known_until_date from {{ ref('int_measured_dates') }}

),

history as (

    select
        *,
        cast(date_trunc('week', as_of_date) as date) as week_start_date
    from {{ ref('fct_health_history') }}

),

last_dates as (

    select
        week_start_date,
        max(as_of_date) as last_scored_date
    from history
    group by week_start_date

),

at_week_end as (

    select history.*
    from history
    inner join last_dates
        on history.as_of_date = last_dates.last_scored_date

),

due_actions as (

    select
        actions.action_id,
        actions.account_id,
        actions.owner_id,
        cast(date_trunc('week', actions.due_at) as date) as week_start_date,
        coalesce(min(reviews.reviewed_at) <= actions.due_at, false) as is_done_in_time
    from {{ ref('fct_actions') }} as actions
    left join {{ ref('int_reviews') }} as reviews
        on
            actions.action_id = reviews.action_id
            and reviews.kind = 'action'
            and reviews.verdict = 'done'
    where
        actions.released_on is not null
        and actions.due_at is not null
    group by actions.action_id, actions.account_id, actions.owner_id, actions.due_at, actions.ended_on
    -- what ended before it was due was no longer asked for
    having is_done_in_time or actions.ended_on is null or actions.ended_on > cast(actions.due_at as date)

),

cases as (

    select
        week_start_date,
        'overridden' as metric,
        0 as horizon_days,
        'all' as slice,
        account_id,
        cast(as_of_date as varchar) as case_id,
        1 as n,
        cast(is_overridden as integer) as hits
    from at_week_end
    union all
    select
        week_start_date,
        'tasks_per_100_accounts' as metric,
        0 as horizon_days,
        'all' as slice,
        account_id,
        cast(as_of_date as varchar) as case_id,
        1 as n,
        0 as hits
    from at_week_end
    union all
    select
        cast(date_trunc('week', released_on) as date) as week_start_date,
        'tasks_per_100_accounts' as metric,
        0 as horizon_days,
        'all' as slice,
        account_id,
        action_id as case_id,
        0 as n,
        1 as hits
    from {{ ref('fct_actions') }}
    where
        released_on is not null
        and channel = 'crm_task'
    union all
    select
        week_start_date,
        'follow_through' as metric,
        0 as horizon_days,
        slices.slice,
        account_id,
        action_id as case_id,
        1 as n,
        cast(is_done_in_time as integer) as hits
    from due_actions
    cross join unnest(['all', coalesce(owner_id, 'none')]) as slices (slice)

),

final as (

    select
        cases.week_start_date,
        cases.metric,
        cases.horizon_days,
        cases.slice,
        cases.account_id,
        cases.case_id,
        cases.n,
        cases.hits,
        {{ add_days('cases.week_start_date', 6) }} > known.known_until_date as is_open
    from cases
    cross join known

)

select * from final
