-- Grain: one row per account that is scored on the newest as-of date of the last build and shadow rule set.
-- No row where no rule set is a shadow. Other days can be asked of scoring.fct_health_scores: what shadows say is
-- not kept, so a question about the past is answered by today's rules.
with

accounts as (

    select * from {{ ref('int_accounts__as_of') }}
    where as_of_date = {{ as_of_end() }}

),

scores as (

    select * from {{ ref('fct_health_scores') }}
    where as_of_date = {{ as_of_end() }}

),

reasons as (

    select
        account_id,
        rule_set,
        string_agg(evidence, '; ' order by result, points, rule_number) as reasons
    from {{ ref('fct_rule_results') }}
    where
        as_of_date = {{ as_of_end() }}
        and result in ('true', 'unknown')
    group by account_id, rule_set

),

champions as (

    select
        scores.*,
        reasons.reasons
    from scores
    left join reasons
        on
            scores.account_id = reasons.account_id
            and scores.rule_set = reasons.rule_set
    where scores.rule_set_status = 'champion'

),

shadows as (

    select
        scores.*,
        reasons.reasons
    from scores
    left join reasons
        on
            scores.account_id = reasons.account_id
            and scores.rule_set = reasons.rule_set
    where scores.rule_set_status = 'shadow'

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,
        shadows.rule_set as shadow_rule_set,
        shadows.rule_version as shadow_rule_version,
        champions.rule_set as champion_rule_set,
        champions.rule_version as champion_rule_version,

        -- account
        accounts.owner_id,
        accounts.segment,
        cast(accounts.arr_usd as double) as arr_usd,

        -- champion
        champions.score as champion_score,
        champions.score_low as champion_score_low,
        champions.score_high as champion_score_high,
        champions.bucket as champion_bucket,
        champions.decision as champion_decision,

        -- shadow
        shadows.score as shadow_score,
        shadows.score_low as shadow_score_low,
        shadows.score_high as shadow_score_high,
        shadows.bucket as shadow_bucket,
        shadows.decision as shadow_decision,

        -- difference
        shadows.score - champions.score as score_difference,
        {{ bucket_rank('shadows.bucket') }} - {{ bucket_rank('champions.bucket') }} as bucket_difference,
        shadows.decision <> champions.decision as is_other_decision,
        champions.reasons as champion_reasons,
        shadows.reasons as shadow_reasons
    from accounts
    inner join champions
        on accounts.account_id = champions.account_id
    inner join shadows
        on accounts.account_id = shadows.account_id

)

select * from final
