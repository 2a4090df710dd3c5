-- Grain: one row per account that is scored on the newest as-of date of the last build and shadow rule set.
-- No row where no rule set is a shadow. Other days can be asked of scoring.fct_health_scores: what shadows score is
-- not recorded, so a question about the past is answered by today's rules.
with

accounts as (

    select * from {{ ref('int_accounts__as_of') }}
    where as_of_date = {{ as_of_end() }}

),

reasons as (

    select
        account_id,
        rule_set,
        string_agg(evidence, '; ' order by result, points, rule_number) as reasons
    from {{ ref('int_newest_rule_results') }}
    where result in ('true', 'unknown')
    group by account_id, rule_set

),

champion_scores as (

    select
        history.*,
        reasons.reasons
    from {{ ref('fct_health_history') }} as history
    left join reasons
        on
            history.account_id = reasons.account_id
            and history.rule_set = reasons.rule_set
    where history.as_of_date = {{ as_of_end() }}

),

shadow_scores as (

    select
        scores.*,
        reasons.reasons
    from {{ ref('int_shadow_scores') }} as scores
    left join reasons
        on
            scores.account_id = reasons.account_id
            and scores.rule_set = reasons.rule_set

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,
        shadow_scores.rule_set as shadow_rule_set,
        shadow_scores.rule_version as shadow_rule_version,
        champion_scores.rule_set as champion_rule_set,
        champion_scores.rule_version as champion_rule_version,

        -- account
        accounts.owner_id,
        accounts.segment,
        cast(accounts.arr_usd as double) as arr_usd,

        -- champion rule set
        champion_scores.score as champion_score,
        champion_scores.score_low as champion_score_low,
        champion_scores.score_high as champion_score_high,
        champion_scores.model_bucket as champion_bucket,
        champion_scores.decision as champion_decision,

        -- shadow
        shadow_scores.score as shadow_score,
        shadow_scores.score_low as shadow_score_low,
        shadow_scores.score_high as shadow_score_high,
        shadow_scores.bucket as shadow_bucket,
        shadow_scores.decision as shadow_decision,

        -- difference
        shadow_scores.score - champion_scores.score as score_difference,
        {{ bucket_rank('shadow_scores.bucket') }} - {{ bucket_rank('champion_scores.model_bucket') }}
            as bucket_difference,
        shadow_scores.decision <> champion_scores.decision as is_other_decision,
        champion_scores.reasons as champion_reasons,
        shadow_scores.reasons as shadow_reasons
    from accounts
    inner join champion_scores
        on accounts.account_id = champion_scores.account_id
    inner join shadow_scores
        on accounts.account_id = shadow_scores.account_id

)

select * from final
