-- Grain: one row per account scored on the newest date: as recorded, and by the rules that are asked about.
with

recorded as (

    select * from {{ ref('int_measured_scores') }}
    where as_of_date = (select max(scores.as_of_date) from {{ ref('int_measured_scores') }} as scores)

),

states as (

    select * from {{ ref('fct_billing_intervals') }}

),

final as (

    select
        -- ids
        recorded.account_id,
        recorded.as_of_date,
        recorded.owner_id,
        coalesce(recorded.segment, 'none') as segment,

        -- scores
        recorded.score as score_before,
        recorded.bucket as bucket_before,
        candidate.score as score_after,
        candidate.bucket as bucket_after,
        candidate.decision as decision_after,
        recorded.bucket <> candidate.bucket as has_moved,
        {{ bucket_rank('candidate.bucket') }} < {{ bucket_rank('recorded.bucket') }} as is_worse,

        -- the account
        coalesce(states.is_paying, false) as is_paying,
        recorded.arr_usd
    from recorded
    inner join {{ ref('candidate_scores') }} as candidate
        on
            recorded.account_id = candidate.account_id
            and recorded.as_of_date = candidate.as_of_date
    left join states
        on
            recorded.account_id = states.account_id
            and recorded.as_of_date between states.valid_from_date and states.valid_to_date

)

select * from final
