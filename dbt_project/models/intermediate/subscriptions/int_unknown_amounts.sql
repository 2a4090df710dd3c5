-- Grain: one row per account, signal and interval of days (both ends included) over which it is not known, because an
-- amount of a subscription that it reads is in a currency without a rate.
-- Revenue: while the subscription is live. A downgrade: from the change on for as long as it would count, less the days
-- on which another one counts for certain.
with

versions as (

    select * from {{ ref('int_subscription_versions') }}
    where is_mrr_unknown and has_live_status

),

changes as (

    select
        unknown.account_id,
        unknown.subscription_id,
        unknown.changed_date,
        max(certain.changed_date) filter (where certain.changed_date <= unknown.changed_date) as certain_before_date,
        min(certain.changed_date) filter (where certain.changed_date > unknown.changed_date) as certain_after_date
    from {{ ref('int_downgrades') }} as unknown
    left join {{ ref('int_downgrades') }} as certain
        on
            unknown.account_id = certain.account_id
            and not certain.is_unknown
    where unknown.is_unknown
    group by unknown.account_id, unknown.subscription_id, unknown.changed_date

),

intervals as (

    select
        account_id,
        'mrr_usd' as signal,
        greatest(valid_from_date, started_date) as valid_from_date,
        valid_to_date
    from versions
    union all
    select
        account_id,
        'is_downgraded_90d' as signal,
        greatest(changed_date, {{ add_days('certain_before_date', 90) }}) as valid_from_date,
        least({{ add_days('changed_date', 89) }}, {{ add_days('certain_after_date', -1) }}) as valid_to_date
    from changes

),

final as (

    select distinct * from intervals
    where valid_from_date <= valid_to_date

)

select * from final
