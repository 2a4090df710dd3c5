-- Grain: one row per account and scored date of this build, and per account's first scored date after it, where the
-- account has an earlier scored date: compared_with, the newest of them, however long ago.
-- best_score_7d is the best score of the 7 days before as_of_date; null where the account was not scored on any.
{% set history = ref('fct_health_history') %}
{% set first_date = add_days(as_of_start(), -7) %}
with

dates_before as (

    select
        account_id,
        max(as_of_date) as as_of_date
    from {{ history }}
    where as_of_date < {{ first_date }}
    group by account_id

),

dates_after as (

    select
        account_id,
        min(as_of_date) as as_of_date
    from {{ history }}
    where as_of_date > {{ as_of_end() }}
    group by account_id

),

recorded as (

    select
        history.account_id,
        history.as_of_date,
        history.segment,
        history.rule_set,
        history.bucket,
        history.rule_version,
        history.base_score,
        history.points,
        history.score
    from {{ history }} as history
    left join dates_before
        on
            history.account_id = dates_before.account_id
            and history.as_of_date = dates_before.as_of_date
    left join dates_after
        on
            history.account_id = dates_after.account_id
            and history.as_of_date = dates_after.as_of_date
    where
        history.as_of_date between {{ first_date }} and {{ as_of_end() }}
        or dates_before.account_id is not null
        or dates_after.account_id is not null

),

compared as (

    select
        *,
        lag(as_of_date) over by_account as compared_with,
        lag(bucket) over by_account as bucket_before,
        lag(rule_version) over by_account as rule_version_before,
        lag(base_score) over by_account as base_score_before,
        lag(points) over by_account as points_before,
        lag(score) over by_account as score_before,
        max(score) over (
            partition by account_id
            order by as_of_date
            range between interval 7 day preceding and interval 1 day preceding
        ) as best_score_7d
    from recorded
    window by_account as (
        partition by account_id
        order by as_of_date
    )

),

final as (

    select
        -- ids
        account_id,
        as_of_date,
        compared_with,
        segment,
        rule_set,

        -- before and after
        bucket_before,
        bucket,
        rule_version_before,
        rule_version,
        base_score_before,
        base_score,
        points_before,
        points,
        score_before,
        score,
        best_score_7d
    from compared
    where
        as_of_date >= {{ as_of_start() }}
        and compared_with is not null

)

select * from final
