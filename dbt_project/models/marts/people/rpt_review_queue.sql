-- Grain: one row per account that most needs a person today, overall or for its owner.
-- Accounts with a live subscription come first; then by risk (bucket, then score), then revenue, then renewal.
-- Those that never bought anything are in rpt_prospects.
with

accounts as (

    select
        health.*,
        sign_offs.account_id is not null as sign_off_required,
        sign_offs.sign_off_flags,
        coalesce(sign_offs.is_signed_off, false) as is_signed_off,
        sign_offs.sign_off_verdict,
        sign_offs.signed_off_by,
        sign_offs.signed_off_at
    from {{ ref('rpt_account_health') }} as health
    left join {{ ref('int_sign_offs') }} as sign_offs
        on health.account_id = sign_offs.account_id

),

waiting as (

    select * from accounts
    where
        (
            needs_review
            or bucket <> 'healthy'
            or (sign_off_required and not is_signed_off)
        )
        and account_id not in (select prospects.account_id from {{ ref('rpt_prospects') }} as prospects)

),

ranked as (

    select
        *,
        row_number() over (
            order by
                has_live_subscription desc,
                {{ bucket_rank('bucket') }},
                score,
                arr_usd desc nulls last,
                days_to_renewal nulls last,
                account_id
        ) as rank_overall,
        row_number() over (
            partition by owner_id
            order by
                has_live_subscription desc,
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
        has_live_subscription,
        days_to_renewal,
        decision,
        coalesce(review_reason, reason_1) as reason,
        next_action,
        inputs_to_fetch,
        sign_off_required,
        sign_off_flags,
        is_signed_off,
        sign_off_verdict,
        signed_off_by,
        signed_off_at
    from ranked
    where
        rank_overall <= {{ setting('review_queue_rows') }}
        or rank_for_owner <= {{ setting('review_queue_rows') }}

)

select * from final
