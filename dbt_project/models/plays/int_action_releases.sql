-- Grain: one row per action and the scored date on which it was released: the first on which nothing stopped it.
-- (Where a past date was rebuilt, a later date may have released the action already; that row stays too.)
-- Cooldown and the owner's weekly budget depend on what was released before, so the weeks of the build are taken one
-- after another, a step of the recursion each. Within a week one ranking is exact: an action claims a place on the
-- first date on which nothing else stops it, places go by date, then by priority, then by revenue, and a claim that
-- finds no place on its date finds none later in the week. So many builds of one date give the same rows as one build.
{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='append_new_columns') }}
with recursive

earlier as (

    {% if is_incremental() %}
    select * from {{ this }}
    where as_of_date < {{ as_of_start() }}
    {% else %}
    select
        action_id,
        account_id,
        as_of_date,
        play,
        owner_id
    from {{ ref('int_releasable_days') }}
    where false
    {% endif %}

),

-- materialized, for each step of the recursion reads them
candidates as materialized (

    select candidates.*
    from {{ ref('int_releasable_days') }} as candidates
    left join earlier
        on candidates.action_id = earlier.action_id
    where earlier.action_id is null

),

-- in the first week of the build
places_taken as (

    select
        cast(date_trunc('week', as_of_date) as date) as week_start_date,
        owner_id,
        count(*) as places
    from earlier
    where as_of_date >= cast(date_trunc('week', {{ as_of_start() }}) as date)
    group by owner_id, cast(date_trunc('week', as_of_date) as date)

),

-- a step passes on what it released (is_new) and the newest release of every other account and play; a row of nobody
-- keeps the recursion going where nothing was released before
releases (week_start_date, is_new, action_id, account_id, play, owner_id, as_of_date) as (

    select
        week_before.week_start_date,
        false as is_new,
        max_by(earlier.action_id, earlier.as_of_date) as action_id,
        earlier.account_id,
        earlier.play,
        cast(null as {{ dbt.type_string() }}) as owner_id,
        max(earlier.as_of_date) as as_of_date
    from (select {{ add_days("date_trunc('week', " ~ as_of_start() ~ ")", -7) }} as week_start_date) as week_before
    left join earlier on true
    group by week_before.week_start_date, earlier.account_id, earlier.play
    union all
    select * from (
        with

        step as (

            select {{ add_days('max(week_start_date)', 7) }} as week_start_date
            from releases
            having max(week_start_date) < cast(date_trunc('week', {{ as_of_end() }}) as date)

        ),

        claims as (

            select candidates.*
            from candidates
            inner join step
                on candidates.week_start_date = step.week_start_date
            left join releases
                on
                    candidates.account_id = releases.account_id
                    and candidates.play = releases.play
            where
                releases.action_id is distinct from candidates.action_id
                and coalesce(
                    candidates.as_of_date >= {{ cooldown_end('releases.as_of_date', 'candidates.cooldown_days') }}, true
                )
            -- an account has one open action of a play on a date
            qualify row_number() over (
                partition by candidates.account_id, candidates.play
                order by candidates.as_of_date
            ) = 1

        ),

        placed as (

            select claims.*
            from claims
            left join places_taken
                on
                    claims.owner_id = places_taken.owner_id
                    and claims.week_start_date = places_taken.week_start_date
            qualify
                claims.owner_id is null
                or row_number() over (
                    partition by claims.owner_id
                    order by
                        claims.as_of_date asc,
                        claims.priority asc,
                        claims.arr_usd desc nulls last,
                        claims.account_id asc
                ) + coalesce(places_taken.places, 0) <= {{ setting('owner_weekly_actions') }}

        )

        select
            week_start_date,
            true as is_new,
            action_id,
            account_id,
            play,
            owner_id,
            as_of_date
        from placed
        union all
        select
            step.week_start_date,
            false as is_new,
            releases.action_id,
            releases.account_id,
            releases.play,
            releases.owner_id,
            releases.as_of_date
        from releases
        cross join step
        left join placed
            on
                releases.account_id = placed.account_id
                and releases.play = placed.play
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
    from releases
    where is_new

)

select * from final
