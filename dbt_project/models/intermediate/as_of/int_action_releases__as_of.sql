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

-- spans of days on which an action that was not released before is held by nothing else; materialized, for each step
-- of the recursion reads them
free_spans as materialized (

    select
        play_days.action_id,
        play_days.account_id,
        play_days.play,
        play_days.first_date,
        play_days.as_of_date as last_date,
        play_days.arr_usd,
        playbook.priority,
        playbook.cooldown_days,
        playbook.who = 'owner' as is_of_owner
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
        {{ add_days('week_start_date', 6) }} as week_end_date,
        row_number() over (order by week_start_date) as week_number
    from weeks_told

),

week_owners as materialized (

    select
        account_id,
        {{ week_start('as_of_date') }} as week_start_date,
        nullif(min_by(coalesce(owner_id, ''), as_of_date), '') as owner_id
    from {{ ref('fct_health_history') }}
    where as_of_date between {{ week_start(as_of_start()) }} and {{ as_of_end() }}
    group by account_id, {{ week_start('as_of_date') }}

),

-- in the first week of the window
places_taken as (

    select
        {{ week_start('as_of_date') }} as week_start_date,
        owner_id,
        count(*) as places
    from earlier
    where as_of_date >= {{ week_start(as_of_start()) }}
    group by owner_id, {{ week_start('as_of_date') }}

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

-- a step hands on what it released and, of each account and play that it did not release, the newest release before;
-- the row of nobody keeps the recursion going where nothing was released before
released (week_number, is_new, action_id, account_id, play, owner_id, as_of_date) as (

    select
        cast(0 as bigint) as week_number,
        false as is_new,
        max_by(action_id, as_of_date) as action_id,
        account_id,
        play,
        cast(null as {{ dbt.type_string() }}) as owner_id,
        max(as_of_date) as as_of_date
    from earlier
    where
        as_of_date >= {{ add_days(
            as_of_start(), '-1 * greatest(7, (select coalesce(max(playbook.cooldown_days), 0) from playbook))'
        ) }}
    group by account_id, play
    union all
    select
        cast(0 as bigint) as week_number,
        false as is_new,
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

        owners as (

            select
                week_owners.account_id,
                week_owners.owner_id
            from week_owners
            inner join step
                on week_owners.week_start_date = step.week_start_date

        ),

        claims as (

            select
                step.week_number,
                step.week_start_date,
                free_spans.action_id,
                free_spans.account_id,
                free_spans.play,
                free_spans.arr_usd,
                free_spans.priority,
                free_spans.is_of_owner,
                next_runs.as_of_date
            from free_spans
            inner join step
                on
                    free_spans.last_date >= step.week_start_date
                    and free_spans.first_date <= step.week_end_date
            left join released
                on
                    free_spans.account_id = released.account_id
                    and free_spans.play = released.play
            inner join next_runs
                on
                    greatest(
                        free_spans.first_date,
                        step.week_start_date,
                        {{ cooldown_end('released.as_of_date', 'free_spans.cooldown_days') }}
                    ) = next_runs.day
                    and least(free_spans.last_date, step.week_end_date) >= next_runs.as_of_date
            where released.action_id is distinct from free_spans.action_id

        ),

        first_claims as (

            select
                account_id,
                play,
                min(as_of_date) as as_of_date
            from claims
            group by account_id, play

        ),

        -- an account has one open action of a play on a day
        owned as (

            select
                claims.*,
                case when claims.is_of_owner then owners.owner_id end as owner_id
            from claims
            inner join first_claims
                on
                    claims.account_id = first_claims.account_id
                    and claims.play = first_claims.play
                    and claims.as_of_date = first_claims.as_of_date
            left join owners
                on claims.account_id = owners.account_id

        ),

        ranked as (

            select
                *,
                row_number() over (
                    partition by owner_id
                    order by as_of_date asc, priority asc, arr_usd desc nulls last, account_id asc
                ) as place
            from owned

        ),

        placed as (

            select ranked.*
            from ranked
            left join places_taken
                on
                    ranked.owner_id = places_taken.owner_id
                    and ranked.week_start_date = places_taken.week_start_date
            where
                ranked.owner_id is null
                or ranked.place + coalesce(places_taken.places, 0) <= {{ setting('owner_weekly_actions') }}

        )

        select
            week_number,
            true as is_new,
            action_id,
            account_id,
            play,
            owner_id,
            as_of_date
        from placed
        union all
        select
            step.week_number,
            false as is_new,
            released.action_id,
            released.account_id,
            released.play,
            released.owner_id,
            released.as_of_date
        from released
        cross join step
        left join placed
            on
                released.account_id = placed.account_id
                and released.play = placed.play
        where placed.account_id is null
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
    where is_new

)

select * from final
