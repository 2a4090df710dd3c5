-- Grain: one row per account and as_of_date of this build on which the account was told another bucket than on the run
-- before, or a lower score than then or than the best of the 7 days before. bucket_before and score_before are those of
-- the run before where the bucket was another or the score better, else null; best_score_7d is null where none was.
with

runs as (

    select * from {{ ref('int_told_runs') }}

),

changes as (

    select * from {{ ref('int_told_changes') }}

),

moved as (

    select
        changes.account_id,
        changes.as_of_date,
        changes.bucket,
        changes.score,
        changes.bucket_before,
        changes.score_before
    from changes
    inner join runs
        on
            changes.as_of_date = runs.as_of_date
            and changes.compared_with = runs.date_before
    where
        changes.bucket <> changes.bucket_before
        or changes.score < changes.score_before

),

-- where a day of the 7 before was better, the best of them stood just before a fall
falls as (

    select
        changes.account_id,
        changes.score_before,
        runs.as_of_date
    from changes
    inner join runs
        on
            changes.as_of_date <= runs.as_of_date
            and changes.compared_with >= {{ add_days('runs.as_of_date', -7) }}
    where changes.score < changes.score_before

),

fallen as (

    select
        history.account_id,
        history.as_of_date,
        history.bucket,
        history.score,
        max(falls.score_before) as best_score_7d
    from falls
    inner join {{ ref('fct_health_history') }} as history
        on
            falls.account_id = history.account_id
            and falls.as_of_date = history.as_of_date
    where history.score < falls.score_before
    group by history.account_id, history.as_of_date, history.bucket, history.score

),

final as (

    select
        coalesce(moved.account_id, fallen.account_id) as account_id,
        coalesce(moved.as_of_date, fallen.as_of_date) as as_of_date,
        coalesce(moved.bucket, fallen.bucket) as bucket,
        coalesce(moved.score, fallen.score) as score,
        moved.bucket_before,
        moved.score_before,
        fallen.best_score_7d
    from fallen
    full outer join moved
        on
            fallen.account_id = moved.account_id
            and fallen.as_of_date = moved.as_of_date

)

select * from final
