-- Grain: one row per account and day on which it became churned, by the newest scored date: a churn where it stayed so
-- for the grace days, a switch where it came back within them, open where neither is known yet.
with

known as (

    select max(as_of_date) as known_until_date from {{ ref('fct_health_history') }}

),

states as (

    select * from {{ ref('fct_billing_intervals') }}

),

churned_intervals as (

    {{ unbroken_intervals('states', 'is_churned') }}

),

churned as (

    select
        *,
        {{ add_days('valid_from_date', setting('churn_grace_days') ~ ' - 1') }} as grace_end_date
    from churned_intervals

),

noticed as (

    {{ unbroken_intervals('states', 'is_noticed') }}

),

final as (

    select
        -- ids
        churned.account_id,
        churned.valid_from_date as churn_date,

        -- what it was
        case
            when least(churned.valid_to_date, known.known_until_date) >= churned.grace_end_date then 'churn'
            when churned.valid_to_date < least(churned.grace_end_date, known.known_until_date) then 'switch'
            else 'open'
        end as outcome,
        coalesce(before_churn.is_paying, false) as was_paying,
        before_churn.mrr_usd as mrr_before_usd,

        -- dates
        coalesce(noticed.valid_from_date, churned.valid_from_date) as notice_date,
        case
            when churned.valid_to_date < known.known_until_date then {{ add_days('churned.valid_to_date', 1) }}
        end as returned_date
    from churned
    cross join known
    left join states as before_churn
        on
            churned.account_id = before_churn.account_id
            and {{ add_days('churned.valid_from_date', -1) }}
            between before_churn.valid_from_date and before_churn.valid_to_date
    left join noticed
        on
            churned.account_id = noticed.account_id
            and {{ add_days('churned.valid_from_date', -1) }}
            between noticed.valid_from_date and noticed.valid_to_date
    where churned.valid_from_date <= known.known_until_date

)

select * from final
