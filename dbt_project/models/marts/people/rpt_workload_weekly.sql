-- Grain: one row per ISO week of the newest 26 with a scored date, and owner with accounts, overrides or tasks in it.
-- Accounts are those of the week's last scored date. An override counts for the owner of its first scored date.
with

buckets as (

    select * from {{ ref('rpt_buckets_daily') }}
    where as_of_date between {{ add_days("date_trunc('week', " ~ as_of_end() ~ ")", -175) }} and {{ as_of_end() }}

),

weeks as (

    select
        cast(date_trunc('week', as_of_date) as date) as week_start_date,
        max(as_of_date) as last_scored_date
    from buckets
    group by cast(date_trunc('week', as_of_date) as date)

),

accounts as (

    select
        weeks.week_start_date,
        buckets.owner_id,
        sum(buckets.accounts) as accounts
    from weeks
    inner join buckets
        on weeks.last_scored_date = buckets.as_of_date
    group by weeks.week_start_date, buckets.owner_id

),

overrides as (

    select
        cast(date_trunc('week', cast(overridden_at as date)) as date) as week_start_date,
        owner_id,
        count(*) as overrides
    from {{ ref('rpt_override_scoreboard') }}
    group by cast(date_trunc('week', cast(overridden_at as date)) as date), owner_id

),

tasks as (

    select
        cast(date_trunc('week', released_on) as date) as week_start_date,
        owner_id,
        count(*) as tasks
    from {{ ref('fct_actions') }}
    where
        released_on is not null
        and channel = 'crm_task'
    group by cast(date_trunc('week', released_on) as date), owner_id

),

counted as (

    select
        week_start_date,
        owner_id,
        accounts,
        0 as overrides,
        0 as tasks
    from accounts
    union all
    select
        week_start_date,
        owner_id,
        0 as accounts,
        overrides,
        0 as tasks
    from overrides
    union all
    select
        week_start_date,
        owner_id,
        0 as accounts,
        0 as overrides,
        tasks
    from tasks

),

final as (

    select
        strftime(counted.week_start_date, '%G-W%V') as iso_week,
        counted.week_start_date,
        counted.owner_id,
        cast(sum(counted.accounts) as bigint) as accounts,
        cast(sum(counted.overrides) as bigint) as overrides,
        cast(sum(counted.tasks) as bigint) as tasks,
        cast(100 * sum(counted.tasks) as double) / nullif(sum(counted.accounts), 0) as tasks_per_100_accounts
    from counted
    inner join weeks
        on counted.week_start_date = weeks.week_start_date
    group by counted.week_start_date, counted.owner_id

)

select * from final
