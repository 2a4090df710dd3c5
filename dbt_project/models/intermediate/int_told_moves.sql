-- Grain: one row per account and as_of_date of this build on which the account was told another bucket than on the run
-- before, or a lower score than then or than the best of the 7 days before. An account that was not told on the run
-- before has nothing before.
with

runs as (

    select * from {{ ref('int_told_runs') }}

),

first_looked_at as (

    select least(
        {{ add_days(as_of_start(), -7) }},
        (select min(runs.date_before) from runs)
    ) as as_of_date

),

history as (

    select
        account_id,
        as_of_date,
        {{ days_between(as_of_start(), 'as_of_date') }} as day_number,
        bucket,
        score
    from {{ ref('fct_health_history') }}
    where as_of_date between (select first_looked_at.as_of_date from first_looked_at) and {{ as_of_end() }}

),

-- one order for rows and ranges alike, and so one sort
compared as (

    select
        account_id,
        as_of_date,
        bucket,
        score,
        lag(as_of_date) over by_account as date_before,
        lag(bucket) over by_account as bucket_before,
        lag(score) over by_account as score_before,
        max(score) over (by_account range between 7 preceding and 1 preceding) as best_score_7d
    from history
    window by_account as (
        partition by account_id
        order by day_number
    )

),

told as (

    select
        compared.account_id,
        compared.as_of_date,
        compared.bucket,
        compared.score,
        case when compared.date_before = runs.date_before then compared.bucket_before end as bucket_before,
        case when compared.date_before = runs.date_before then compared.score_before end as score_before,
        compared.best_score_7d
    from compared
    inner join runs
        on compared.as_of_date = runs.as_of_date
    where compared.as_of_date >= {{ as_of_start() }}

),

final as (

    select *
    from told
    where
        bucket <> bucket_before
        or score < score_before
        or score < best_score_7d

)

select * from final
