-- Grain: one row per account and as_of_date that this build tells, beside what was told of it before.
-- The run before is the newest as-of date before the day on which any account was told; an account that was not
-- told then has nothing before. The owner of a week is the one on the account's first told day of that week.
with

history as (

    select * from {{ ref('fct_health_history') }}

),

run_before as (

    select coalesce(max(as_of_date), {{ as_of_start() }}) as as_of_date
    from history
    where as_of_date < {{ as_of_start() }}

),

looked_at as (

    select history.*
    from history
    cross join run_before
    where
        history.as_of_date <= {{ as_of_end() }}
        and history.as_of_date >= least(run_before.as_of_date, {{ add_days(as_of_start(), -7) }})

),

runs as (

    select
        as_of_date,
        lag(as_of_date) over (order by as_of_date) as date_before
    from (select distinct as_of_date from looked_at) as dates_told

),

beside as (

    select
        *,
        lag(as_of_date) over by_account as told_before_date,
        lag(bucket) over by_account as told_before_bucket,
        lag(score) over by_account as told_before_score,
        max(score) over (
            by_account
            range between interval 7 days preceding and interval 1 day preceding
        ) as best_score_7d,
        first_value(owner_id) over (
            partition by account_id, {{ week_start('as_of_date') }}
            order by as_of_date
        ) as week_owner_id
    from looked_at
    window by_account as (
        partition by account_id
        order by as_of_date
    )

),

final as (

    select
        -- ids
        beside.account_id,
        beside.as_of_date,
        runs.date_before,
        beside.owner_id,
        beside.week_owner_id,
        beside.segment,

        -- judgement
        beside.score,
        beside.bucket,
        beside.decision,
        beside.is_overridden,
        beside.conflict_reason,
        beside.unknown_signals,
        beside.review_rules,
        beside.flags,
        beside.arr_usd,

        -- before
        case when beside.told_before_date = runs.date_before then beside.told_before_bucket end as bucket_before,
        case when beside.told_before_date = runs.date_before then beside.told_before_score end as score_before,
        beside.best_score_7d
    from beside
    inner join runs
        on beside.as_of_date = runs.as_of_date
    where beside.as_of_date >= {{ as_of_start() }}

)

select * from final
