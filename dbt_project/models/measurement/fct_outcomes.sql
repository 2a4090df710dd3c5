-- Grain: one row per account, outcome and day: what customers did by the newest scored date, by billing and the CRM.
-- Nothing of it is known to a score: scores of a day see facts up to that day, outcomes are what came after.
with

churns as (

    select * from {{ ref('int_churns') }}

),

changes as (

    select
        account_id,
        valid_from_date,
        is_churned,
        mrr_usd,
        lag(is_paying) over changes_in_order as was_paying,
        lag(mrr_usd) over changes_in_order as mrr_before_usd,
        lag(valid_to_date) over changes_in_order as last_date_before
    from {{ ref('fct_billing_intervals') }}
    window changes_in_order as (
        partition by account_id
        order by valid_from_date
    )

),

known as (

    select max(as_of_date) as known_until_date from {{ ref('fct_health_history') }}

),

mrr_changes as (

    select
        changes.*,
        case
            when {{ has_contracted('changes.mrr_before_usd', 'changes.mrr_usd') }} then 'contraction'
            when {{ has_expanded('changes.mrr_before_usd', 'changes.mrr_usd') }} then 'expansion'
        end as outcome
    from changes
    inner join known
        on changes.valid_from_date <= known.known_until_date
    where
        changes.was_paying
        and not changes.is_churned
        and changes.last_date_before = {{ add_days('changes.valid_from_date', -1) }}

),

deletions as (

    select distinct
        account_id,
        valid_from_date as deletion_date
    from {{ ref('int_account_versions') }}
    where
        is_deleted
        and valid_from_date > date '0001-01-01'
        and valid_from_date <= (select known.known_until_date from known)

),

final as (

    select
        account_id,
        outcome,
        churn_date as outcome_date,
        notice_date,
        returned_date,
        was_paying,
        cast(null as varchar) as renewal_result,
        cast(null as bigint) as renewed_subscriptions,
        mrr_before_usd,
        cast(0 as decimal(18, 6)) as mrr_after_usd
    from churns
    union all
    select
        account_id,
        outcome,
        valid_from_date as outcome_date,
        cast(null as date) as notice_date,
        cast(null as date) as returned_date,
        was_paying,
        cast(null as varchar) as renewal_result,
        cast(null as bigint) as renewed_subscriptions,
        mrr_before_usd,
        mrr_usd as mrr_after_usd
    from mrr_changes
    where outcome is not null
    union all
    select
        account_id,
        'renewal' as outcome,
        renewal_date as outcome_date,
        cast(null as date) as notice_date,
        cast(null as date) as returned_date,
        true as was_paying,
        renewal_result,
        subscriptions as renewed_subscriptions,
        mrr_before_usd,
        mrr_after_usd
    from {{ ref('int_renewals') }}
    union all
    select
        account_id,
        'deletion' as outcome,
        deletion_date as outcome_date,
        cast(null as date) as notice_date,
        cast(null as date) as returned_date,
        cast(null as boolean) as was_paying,
        cast(null as varchar) as renewal_result,
        cast(null as bigint) as renewed_subscriptions,
        cast(null as decimal(18, 6)) as mrr_before_usd,
        cast(null as decimal(18, 6)) as mrr_after_usd
    from deletions

)

select * from final
