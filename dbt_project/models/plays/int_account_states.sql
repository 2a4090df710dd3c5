-- Grain: one row per account and scored date of this build: what plays depend on.
-- bucket_before and score_before are null where the account was not scored on the scored date before.
-- unknown_flags lists the flags of rules that could not be evaluated.
with

unknown_flags as (

    select
        account_id,
        as_of_date,
        string_agg(distinct flag, ', ' order by flag) as unknown_flags
    from {{ ref('fct_health_evidence') }}
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and result = 'unknown'
        and flag is not null
    group by account_id, as_of_date

),

final as (

    select
        -- ids
        history.account_id,
        history.as_of_date,
        scored_dates.date_number,
        history.segment,

        -- score
        consecutive.score_before,
        history.score,
        transitions.best_score_7d,
        consecutive.bucket_before,
        history.bucket,
        history.decision,
        history.conflict_reason,
        history.unknown_signals,
        history.is_overridden,

        -- flags and reviews
        history.flags,
        unknown_flags.unknown_flags,
        history.review_rules,

        -- measures
        history.arr_usd
    from {{ ref('fct_health_history') }} as history
    inner join {{ ref('int_scored_dates') }} as scored_dates
        on history.as_of_date = scored_dates.as_of_date
    left join {{ ref('int_score_transitions') }} as transitions
        on
            history.account_id = transitions.account_id
            and history.as_of_date = transitions.as_of_date
    left join {{ ref('int_score_transitions') }} as consecutive
        on
            history.account_id = consecutive.account_id
            and history.as_of_date = consecutive.as_of_date
            and scored_dates.previous_date = consecutive.compared_with
    left join unknown_flags
        on
            history.account_id = unknown_flags.account_id
            and history.as_of_date = unknown_flags.as_of_date
    where history.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

)

select * from final
