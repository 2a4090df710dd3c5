-- Grain: one row per renewal of an account that was scored 30 to 37 days before: its result, next to the newest bucket
-- of these days.
with

renewals as (

    select * from {{ ref('fct_outcomes') }}
    where outcome = 'renewal'

),

final as (

    select
        renewals.account_id,
        renewals.outcome_date as renewal_date,
        renewals.renewal_result,
        renewals.renewed_subscriptions,
        max_by(scores.bucket, scores.as_of_date) as bucket
    from renewals
    inner join {{ ref('int_measured_scores') }} as scores
        on renewals.account_id = scores.account_id
    where
        scores.as_of_date between {{ add_days('renewals.outcome_date', -37) }}
        and {{ add_days('renewals.outcome_date', -30) }}
    group by
        renewals.account_id,
        renewals.outcome_date,
        renewals.renewal_result,
        renewals.renewed_subscriptions

)

select * from final
