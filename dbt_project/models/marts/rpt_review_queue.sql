-- Grain: one row per account that most needs a person today, overall or for its owner.
-- Ranked by risk (bucket, then score), then revenue, then renewal.
with

accounts as (

    select * from {{ ref('rpt_account_health') }}

),

waiting as (

    select * from accounts
    where
        needs_review
        or bucket <> 'healthy'

),

ranked as (

    select
        *,
        row_number() over (
            order by
                {{ bucket_rank('bucket') }},
                score,
                arr_usd desc nulls last,
                days_to_renewal nulls last,
                account_id
        ) as rank_overall,
        row_number() over (
            partition by owner_id
            order by
                {{ bucket_rank('bucket') }},
                score,
                arr_usd desc nulls last,
                days_to_renewal nulls last,
                account_id
        ) as rank_for_owner
    from waiting

),

final as (

    select
        account_id,
        account_name,
        owner_id,
        owner_name,
        as_of_date,
        rank_overall,
        rank_for_owner,
        bucket,
        score,
        arr_usd,
        days_to_renewal,
        coalesce(review_reason, reason_1) as reason,
        next_action
    from ranked
    where
        rank_overall <= {{ setting('review_queue_rows') }}
        or rank_for_owner <= {{ setting('review_queue_rows') }}

)

select * from final
