-- Grain: one row per account that is scored on the newest as-of date, as the portfolio lists, filters and counts it.
-- `_group`: what it is filtered and grouped by, `none` where it has none. healthy, watch and at_risk are 1 or 0, and
-- their revenue is that or 0, so that sums over any accounts count them by bucket.
-- A view: its rows are those of rpt_account_health.
with

accounts as (

    select
        *,
        {{ bucket_rank('bucket') }} as bucket_rank,
        {{ add_days('as_of_date', 'cast(days_to_renewal as integer)') }} as renewal_date
    from {{ ref('rpt_account_health') }}

),

final as (

    select
        -- ids
        account_id,
        account_name,
        owner_id,
        owner_name,
        as_of_date,

        -- groups
        coalesce(segment, 'none') as segment_group,
        coalesce(owner_id, 'none') as owner_group,
        coalesce(plan_id, 'none') as plan_group,
        coalesce(year(renewal_date) || '-Q' || quarter(renewal_date), 'none') as renewal_group,

        -- the account
        segment,
        plan_id,
        arr_usd,
        score,
        score_low,
        score_high,
        bucket,
        decision,
        is_overridden,
        delta_7d,
        days_to_renewal,
        reason_1,
        flags,

        -- counts by bucket
        case when bucket_rank = 3 then 1 else 0 end as healthy,
        case when bucket_rank = 2 then 1 else 0 end as watch,
        case when bucket_rank = 1 then 1 else 0 end as at_risk,
        case when bucket_rank = 3 then coalesce(arr_usd, 0) else 0 end as healthy_arr_usd,
        case when bucket_rank = 2 then coalesce(arr_usd, 0) else 0 end as watch_arr_usd,
        case when bucket_rank = 1 then coalesce(arr_usd, 0) else 0 end as at_risk_arr_usd
    from accounts

)

select * from final
