-- Grain: one row per account and as_of_date that this build tells, beside what was told of it before.
-- The run before is the newest as-of date before the day on which any account was told; an account that was not
-- told then has nothing before. The owner of a week is the one on the account's first told day of that week.
with

run_before as (

    select coalesce(max(as_of_date), {{ as_of_start() }}) as as_of_date
    from {{ ref('fct_health_history') }}
    where as_of_date < {{ as_of_start() }}

),

first_looked_at as (

    select least(as_of_date, {{ add_days(as_of_start(), -7) }}) as as_of_date
    from run_before

),

runs as (

    select
        as_of_date,
        lag(as_of_date) over (order by as_of_date) as date_before
    from (
        select distinct as_of_date
        from {{ ref('fct_health_history') }}
        where as_of_date between (select first_looked_at.as_of_date from first_looked_at) and {{ as_of_end() }}
    ) as dates_told

),

-- few columns go through the windows; what else was told of a day is joined behind them
beside as (

    select
        account_id,
        as_of_date,
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
    from {{ ref('fct_health_history') }}
    where as_of_date between (select first_looked_at.as_of_date from first_looked_at) and {{ as_of_end() }}
    window by_account as (
        partition by account_id
        order by as_of_date
    )

),

final as (

    select
        -- ids
        told.account_id,
        told.as_of_date,
        runs.date_before,
        told.owner_id,
        beside.week_owner_id,
        told.segment,

        -- judgement
        told.score,
        told.bucket,
        told.decision,
        told.is_overridden,
        told.conflict_reason,
        told.unknown_signals,
        told.review_rules,
        told.flags,
        told.arr_usd,

        -- before
        case when beside.told_before_date = runs.date_before then beside.told_before_bucket end as bucket_before,
        case when beside.told_before_date = runs.date_before then beside.told_before_score end as score_before,
        beside.best_score_7d
    from {{ ref('fct_health_history') }} as told
    inner join beside
        on
            told.account_id = beside.account_id
            and told.as_of_date = beside.as_of_date
    inner join runs
        on told.as_of_date = runs.as_of_date
    where
        told.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and beside.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

)

select * from final
