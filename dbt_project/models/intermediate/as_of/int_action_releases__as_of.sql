-- Grain: one row per action and the as_of_date on which it was released: the first on which nothing held it. (Where a
-- past day was told anew, a later day may have released the action once already; that row stands too.)
-- Cooldown and the owner's weekly budget hang on what was released before, so the weeks of the window are taken one
-- after another (a recursion of one step a week, not of one a day). Within a week one ranking is exact: an action
-- claims its place on the first day on which nothing else holds it, places go by day, then by priority, then by
-- revenue, and a claim that finds no place on its day finds none on a later day of that week, for places are only
-- ever taken. So days one by one and a window of many give the same rows.
-- A week runs from Monday to Sunday; its budget is that of the owner on the account's first told day of the week, and
-- counts plays whose `who` is the owner. Accounts without an owner have no budget to run out.
with recursive

playbook as (

    select * from {{ ref('playbook') }}

),

runs as (

    select * from {{ ref('int_told_runs') }}

),

play_days as (

    select * from {{ ref('int_play_days__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

earlier as (

    {% if is_incremental() %}
    select * from {{ this }}
    where as_of_date < {{ as_of_start() }}
    {% else %}
    select
        cast(null as {{ dbt.type_string() }}) as action_id,
        account_id,
        as_of_date,
        cast(null as {{ dbt.type_string() }}) as play,
        cast(null as {{ dbt.type_string() }}) as owner_id
    from play_days
    where false
    {% endif %}

),

-- spans of days on which an action that was not released before is held by nothing else
free_spans as (

    select
        play_days.action_id,
        play_days.account_id,
        play_days.play,
        play_days.first_date,
        play_days.as_of_date as last_date,
        play_days.arr_usd,
        playbook.priority,
        playbook.cooldown_days,
        playbook.who
    from play_days
    inner join playbook
        on play_days.play = playbook.play
    left join earlier
        on play_days.action_id = earlier.action_id
    where
        play_days.is_open
        and play_days.suppressed_by is null
        and earlier.action_id is null

),

weeks_told as (

    select distinct {{ week_start('as_of_date') }} as week_start_date
    from runs

),

weeks as (

    select
        week_start_date,
        row_number() over (order by week_start_date) as week_number
    from weeks_told

),

week_owners as (

    select
        account_id,
        {{ week_start('as_of_date') }} as week_start_date,
        nullif(min_by(coalesce(owner_id, ''), as_of_date), '') as owner_id
    from {{ ref('fct_health_history') }}
    where as_of_date between {{ week_start(as_of_start()) }} and {{ as_of_end() }}
    group by account_id, {{ week_start('as_of_date') }}

),

-- materialized, for each step of the recursion reads it
free_weeks as materialized (

    select
        free_spans.*,
        weeks_told.week_start_date,
        case when free_spans.who = 'owner' then week_owners.owner_id end as owner_id,
        greatest(free_spans.first_date, weeks_told.week_start_date) as first_free_date,
        least(free_spans.last_date, {{ add_days('weeks_told.week_start_date', 6) }}) as last_free_date
    from free_spans
    inner join weeks_told
        on
            free_spans.last_date >= weeks_told.week_start_date
            and free_spans.first_date <= {{ add_days('weeks_told.week_start_date', 6) }}
    left join week_owners
        on
            free_spans.account_id = week_owners.account_id
            and weeks_told.week_start_date = week_owners.week_start_date

),

-- a day of the window, and the run on it or next to come
days as (

    {{ date_range(as_of_start(), as_of_end()) }}

),

next_runs as (

    select
        days.day,
        min(runs.as_of_date) as as_of_date
    from days
    inner join runs
        on days.day <= runs.as_of_date
    group by days.day

),

-- the row of nobody keeps the recursion going where nothing was released before
released (week_number, action_id, account_id, play, owner_id, as_of_date) as (

    select
        cast(0 as bigint) as week_number,
        action_id,
        account_id,
        play,
        owner_id,
        as_of_date
    from earlier
    where
        as_of_date >= {{ add_days(
            as_of_start(), '-1 * greatest(7, (select coalesce(max(playbook.cooldown_days), 0) from playbook))'
        ) }}
    union all
    select
        cast(0 as bigint) as week_number,
        null as action_id,
        null as account_id,
        null as play,
        null as owner_id,
        cast(null as date) as as_of_date
    union all
    select * from (
        with

        step as (

            select weeks.*
            from weeks
            where weeks.week_number = (select max(released.week_number) + 1 from released)

        ),

        newest as (

            select
                account_id,
                play,
                max(as_of_date) as as_of_date,
                max_by(action_id, as_of_date) as action_id
            from released
            group by account_id, play

        ),

        places_taken as (

            select
                released.owner_id,
                count(*) as places
            from released
            inner join step
                on {{ week_start('released.as_of_date') }} = step.week_start_date
            group by released.owner_id

        ),

        claims as (

            select
                free_weeks.action_id,
                free_weeks.account_id,
                free_weeks.play,
                free_weeks.arr_usd,
                free_weeks.priority,
                free_weeks.owner_id,
                next_runs.as_of_date,
                row_number() over (
                    partition by free_weeks.account_id, free_weeks.play
                    order by next_runs.as_of_date, free_weeks.action_id
                ) as claim_number
            from free_weeks
            inner join step
                on free_weeks.week_start_date = step.week_start_date
            left join newest
                on
                    free_weeks.account_id = newest.account_id
                    and free_weeks.play = newest.play
            inner join next_runs
                on
                    greatest(
                        free_weeks.first_free_date,
                        {{ cooldown_end('newest.as_of_date', 'free_weeks.cooldown_days') }}
                    ) = next_runs.day
                    and free_weeks.last_free_date >= next_runs.as_of_date
            where newest.action_id is distinct from free_weeks.action_id

        ),

        ranked as (

            select
                *,
                row_number() over (
                    partition by owner_id
                    order by as_of_date asc, priority asc, arr_usd desc nulls last, account_id asc
                ) as place
            from claims
            where claim_number = 1

        )

        select
            released.week_number + 1 as week_number,
            released.action_id,
            released.account_id,
            released.play,
            released.owner_id,
            released.as_of_date
        from released
        inner join step
            on released.week_number + 1 = step.week_number
        union all
        select
            step.week_number,
            ranked.action_id,
            ranked.account_id,
            ranked.play,
            ranked.owner_id,
            ranked.as_of_date
        from ranked
        cross join step
        left join places_taken
            on ranked.owner_id = places_taken.owner_id
        where
            ranked.owner_id is null
            or ranked.place + coalesce(places_taken.places, 0) <= {{ setting('owner_weekly_actions') }}
    ) as next_week

),

final as (

    select
        action_id,
        account_id,
        as_of_date,
        play,
        owner_id
    from released
    where
        week_number = (select max(all_weeks.week_number) from released as all_weeks)
        and as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

)

select * from final
