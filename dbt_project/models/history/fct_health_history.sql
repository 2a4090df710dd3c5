-- Grain: one row per scored account and as_of_date: the score as recorded for that day, by the champion rule set: base
-- plus the points of its rows in fct_health_evidence, clamped to 0 to 100.
-- A re-run that changes a day leaves the earlier row in audit.health_history_changes.
{{ config(incremental_strategy='replace_window_and_archive') }}

with

accounts as (

    select * from {{ ref('int_accounts__as_of') }}

),

scores as (

    select * from ({{ health_scores(
        ref('fct_health_evidence'),
        dates='as_of_date between ' ~ as_of_start() ~ ' and ' ~ as_of_end(),
        recorded='select account_id, as_of_date, rule_set, score, score_low, score_high from ' ~ this
            ~ ' where as_of_date < ' ~ as_of_start() if is_incremental()
    ) }}) as scores
    where rule_set_status = 'champion'

),

overrides as (

    select * from {{ ref('int_overrides__as_of') }}

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,
        accounts.owner_id,
        accounts.segment,

        -- score
        scores.rule_set,
        scores.rule_version,
        scores.base_score,
        scores.points,
        scores.score,
        scores.score_low,
        scores.score_high,
        scores.coverage_pct,

        -- bucket
        scores.bucket as model_bucket,
        scores.bucket_low,
        scores.bucket_high,
        coalesce(overrides.bucket, scores.bucket) as bucket,
        scores.decision,
        scores.conflict_reason,
        scores.unknown_signals,
        scores.review_rules,
        scores.flags,

        -- override
        overrides.account_id is not null as is_overridden,
        overrides.reason as override_reason,
        overrides.overridden_by,
        overrides.expiry_date as override_expiry_date,

        -- measures
        cast(accounts.arr_usd as double) as arr_usd
    from accounts
    inner join scores
        on
            accounts.account_id = scores.account_id
            and accounts.as_of_date = scores.as_of_date
    left join overrides
        on
            accounts.account_id = overrides.account_id
            and accounts.as_of_date = overrides.as_of_date
    where
        accounts.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and scores.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

)

select * from final
