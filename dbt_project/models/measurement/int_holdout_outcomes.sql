-- Grain: one row per play and account of its experiment that is old enough by the newest scored date: outcome_days and
-- the grace of a churn are over. What became of the account in these days, whether or not it got the play.
with

known as (

    select max(as_of_date) as known_until_date from {{ ref('fct_health_history') }}

),

assigned as (

    select
        holdouts.play,
        holdouts.account_id,
        holdouts.as_of_date,
        holdouts.is_holdout,
        {{ add_days('holdouts.as_of_date', setting('outcome_days')) }} as outcome_date
    from {{ ref('fct_holdouts') }} as holdouts
    cross join known
    where
        {{ add_days('holdouts.as_of_date', setting('outcome_days') ~ ' + ' ~ setting('churn_grace_days')) }}
        <= known.known_until_date

),

churned as (

    select distinct
        assigned.play,
        assigned.account_id
    from assigned
    inner join {{ ref('fct_outcomes') }} as outcomes
        on
            assigned.account_id = outcomes.account_id
            and assigned.as_of_date < outcomes.outcome_date
            and assigned.outcome_date >= outcomes.outcome_date
    where outcomes.outcome = 'churn'

),

final as (

    select
        -- ids
        assigned.play,
        assigned.account_id,
        assigned.as_of_date,
        assigned.is_holdout,

        -- outcomes
        churned.account_id is not null as has_churned,
        cast(billing_after.mrr_usd - billing_before.mrr_usd as double) as mrr_change_usd,
        case when churned.account_id is not null then 0 else usage_after.active_days_30d end
        - usage_before.active_days_30d as active_days_change
    from assigned
    left join churned
        on
            assigned.play = churned.play
            and assigned.account_id = churned.account_id
    left join {{ ref('fct_billing_intervals') }} as billing_before
        on
            assigned.account_id = billing_before.account_id
            and assigned.as_of_date between billing_before.valid_from_date and billing_before.valid_to_date
    left join {{ ref('fct_billing_intervals') }} as billing_after
        on
            assigned.account_id = billing_after.account_id
            and assigned.outcome_date between billing_after.valid_from_date and billing_after.valid_to_date
    left join {{ ref('sig_usage') }} as usage_before
        on
            assigned.account_id = usage_before.account_id
            and assigned.as_of_date = usage_before.as_of_date
    left join {{ ref('sig_usage') }} as usage_after
        on
            assigned.account_id = usage_after.account_id
            and assigned.outcome_date = usage_after.as_of_date

)

select * from final
