-- Grain: one row per override that was made by the newest as-of date of this build: what became of the account in
-- the settings.outcome_days after it, as far as that date knows. The day of the override does not count: its facts
-- may be why it was made. Churned: every subscription that has started is canceled, from a day on which one of them is.
with

overrides as (

    select
        override_id,
        account_id,
        cast(overridden_at as date) as overridden_date,
        {{ add_days('cast(overridden_at as date)', 1) }} as judged_from_date,
        {{ add_days('cast(overridden_at as date)', setting('outcome_days')) }} as outcome_date_due
    from {{ ref('stg_crm__overrides') }}
    where cast(overridden_at as date) <= {{ as_of_end() }}

),

subscriptions as (

    select * from {{ ref('int_subscription_versions') }}

),

billing as (

    select
        is_known,
        unknown_because
    from {{ ref('int_signal_states') }}
    where
        signal = 'is_downgraded_90d'
        and as_of_date = {{ as_of_end() }}

),

cancellations as (

    select
        overrides.override_id,
        overrides.account_id,
        greatest(subscriptions.valid_from_date, subscriptions.started_date, overrides.judged_from_date) as canceled_on
    from overrides
    inner join subscriptions
        on overrides.account_id = subscriptions.account_id
    where
        subscriptions.status = 'canceled'
        and greatest(subscriptions.valid_from_date, subscriptions.started_date, overrides.judged_from_date)
        <= least(subscriptions.valid_to_date, overrides.outcome_date_due, {{ as_of_end() }})

),

churned as (

    select
        cancellations.override_id,
        min(cancellations.canceled_on) as churned_on
    from cancellations
    left join subscriptions
        on
            cancellations.account_id = subscriptions.account_id
            and subscriptions.status <> 'canceled'
            and cancellations.canceled_on >= subscriptions.started_date
            and cancellations.canceled_on between subscriptions.valid_from_date and subscriptions.valid_to_date
    where subscriptions.subscription_id is null
    group by cancellations.override_id

),

downgraded as (

    select
        overrides.override_id,
        min(downgrades.changed_date) filter (where not downgrades.is_unknown) as downgraded_on,
        bool_or(downgrades.is_unknown) as is_unknown
    from overrides
    inner join {{ ref('int_downgrades') }} as downgrades
        on overrides.account_id = downgrades.account_id
    where
        downgrades.changed_date > overrides.overridden_date
        and downgrades.changed_date <= least(overrides.outcome_date_due, {{ as_of_end() }})
    group by overrides.override_id

),

subscribed as (

    select
        account_id,
        min(started_date) as first_started_date
    from subscriptions
    group by account_id

),

judged as (

    select
        overrides.override_id,
        overrides.outcome_date_due,
        churned.churned_on,
        downgraded.downgraded_on,
        case
            when churned.churned_on is not null then 'churned'
            when downgraded.downgraded_on is not null then 'downgraded'
            when
                subscribed.first_started_date <= {{ as_of_end() }}
                and overrides.outcome_date_due <= {{ as_of_end() }}
                and billing.is_known
                and not coalesce(downgraded.is_unknown, false)
                then 'stayed'
            else 'not_known_yet'
        end as outcome,
        case
            when coalesce(subscribed.first_started_date > {{ as_of_end() }}, true)
                then 'Billing knows no subscription of the account'
            when not billing.is_known then billing.unknown_because
            when downgraded.is_unknown then 'An amount of its subscriptions is in a currency without a rate'
            else 'The time to judge it is not over'
        end as not_known_because
    from overrides
    cross join billing
    left join churned
        on overrides.override_id = churned.override_id
    left join downgraded
        on overrides.override_id = downgraded.override_id
    left join subscribed
        on overrides.account_id = subscribed.account_id

),

final as (

    select
        override_id,
        outcome,
        case outcome
            when 'churned' then churned_on
            when 'downgraded' then downgraded_on
        end as outcome_date,
        outcome_date_due,
        case when outcome = 'not_known_yet' then not_known_because end as not_known_because
    from judged

)

select * from final
