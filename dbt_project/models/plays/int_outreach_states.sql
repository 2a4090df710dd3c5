-- Grain: one row per account and scored date of this build: whether its people may be written to.
-- is_quiet: a person was in touch within the last quiet_days. has_consent: some contact's consent is known;
-- is_consent_unknown: that may be wrong, because crm/contacts is not known or a row of a contact was refused.
with

states as (

    select
        account_id,
        as_of_date
    from {{ ref('int_account_states') }}
    where as_of_date <= {{ as_of_end() }}

),

scored_dates as (

    select * from {{ ref('int_scored_dates') }}

),

quiet_dates as (

    select distinct
        touchpoints.account_id,
        scored_dates.as_of_date
    from {{ ref('stg_crm__touchpoints') }} as touchpoints
    inner join scored_dates
        on
            cast(touchpoints.occurred_at as date) <= scored_dates.as_of_date
            and {{ add_days('cast(touchpoints.occurred_at as date)', setting('quiet_days')) }} > scored_dates.as_of_date
    where {{ is_personal_contact() }}

),

consent_dates as (

    select distinct
        consents.account_id,
        scored_dates.as_of_date
    from {{ ref('int_contact_consents') }} as consents
    inner join scored_dates
        on scored_dates.as_of_date between consents.valid_from_date and consents.valid_to_date

),

refused_dates as (

    select distinct
        unknowns.account_id,
        scored_dates.as_of_date
    from {{ ref('int_account_unknowns') }} as unknowns
    inner join scored_dates
        on scored_dates.as_of_date between unknowns.valid_from_date and unknowns.valid_to_date
    where unknowns.feed = 'crm/contacts'

),

contact_signals as (

    select
        as_of_date,
        is_used and not is_known as is_contact_unknown
    from {{ ref('int_signal_states') }}
    where signal = 'days_since_contact'

),

unknown_consent_dates as (

    select as_of_date
    from {{ ref('int_feed_states') }}
    where
        feed = 'crm/contacts'
        and state not in ('known', 'not_used')

),

final as (

    select
        -- ids
        states.account_id,
        states.as_of_date,

        -- contact
        quiet_dates.account_id is not null as is_quiet,
        coalesce(contact_signals.is_contact_unknown, false) as is_contact_unknown,

        -- consent
        consent_dates.account_id is not null and unknown_consent_dates.as_of_date is null as has_consent,
        refused_dates.account_id is not null or unknown_consent_dates.as_of_date is not null as is_consent_unknown
    from states
    left join quiet_dates
        on
            states.account_id = quiet_dates.account_id
            and states.as_of_date = quiet_dates.as_of_date
    left join consent_dates
        on
            states.account_id = consent_dates.account_id
            and states.as_of_date = consent_dates.as_of_date
    left join refused_dates
        on
            states.account_id = refused_dates.account_id
            and states.as_of_date = refused_dates.as_of_date
    left join contact_signals
        on states.as_of_date = contact_signals.as_of_date
    left join unknown_consent_dates
        on states.as_of_date = unknown_consent_dates.as_of_date

)

select * from final
