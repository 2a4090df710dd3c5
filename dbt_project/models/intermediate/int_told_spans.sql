-- Grain: one row per account and span of runs of this build (first_run_number to last_run_number) over which nothing
-- changes that plays hang on: what was told, what stops an action, whether a customer may be written to.
-- blocked_by names the flood guard too, on the day that it blocks, the last of this build.
-- has_fallen: on the first day the score was lower than on the run before by so much that plays do not wait.
with

runs as (

    select * from {{ ref('int_told_runs') }}

),

stop_reasons as (

    select * from {{ ref('int_stop_reasons__as_of') }}
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and needs_person

),

floods as (

    select as_of_date
    from {{ ref('int_flood_guard') }}
    where is_blocked

),

unknown_flags as (

    select
        account_id,
        as_of_date,
        string_agg(distinct flag, ', ' order by flag) as unknown_flags
    from {{ ref('fct_health_evidence') }}
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and result = 'unknown'
        and flag is not null
    group by account_id, as_of_date

),

contact_days as (

    select distinct
        account_id,
        cast(occurred_at as date) as contact_date,
        {{ add_days('cast(occurred_at as date)', setting('quiet_days')) }} as free_from_date
    from {{ ref('stg_crm__touchpoints') }}
    where
        {{ is_personal_contact() }}
        and cast(occurred_at as date) > {{ add_days(as_of_start(), '-1 * ' ~ setting('quiet_days')) }}

),

quiet_days as (

    select distinct
        contact_days.account_id,
        runs.as_of_date
    from contact_days
    inner join runs
        on
            contact_days.contact_date <= runs.as_of_date
            and contact_days.free_from_date > runs.as_of_date

),

contact_states as (

    select
        signal_states.as_of_date,
        signal_states.is_used and not signal_states.is_known as is_contact_unknown,
        feed_states.state not in ('known', 'not_used') as is_consent_unknown
    from {{ ref('int_signal_states') }} as signal_states
    left join {{ ref('int_feed_states') }} as feed_states
        on
            signal_states.as_of_date = feed_states.as_of_date
            and feed_states.feed = 'crm/contacts'
    where
        signal_states.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and signal_states.signal = 'days_since_contact'

),

-- contacts of which the newest version was refused: it may have withdrawn the consent, or given it
unknown_contacts as (

    select * from {{ ref('int_account_unknowns') }}
    where feed = 'crm/contacts'

),

refused_contacts as (

    select
        entity_key as contact_id,
        min(valid_from_date) as first_date
    from unknown_contacts
    where entity_key is not null
    group by entity_key

),

-- it may be any contact of the account
unnamed_contacts as (

    select
        account_id,
        min(valid_from_date) as first_date
    from unknown_contacts
    where entity_key is null
    group by account_id

),

contact_consents as (

    select
        contacts.account_id,
        greatest(
            coalesce(cast(contacts.created_at as date), cast('0001-01-01' as date)),
            coalesce(cast(contacts.consent_updated_at as date), cast('0001-01-01' as date))
        ) as first_date,
        least(
            coalesce(refused_contacts.first_date, cast('9999-12-31' as date)),
            coalesce(unnamed_contacts.first_date, cast('9999-12-31' as date))
        ) as unknown_date
    from {{ ref('stg_crm__contacts') }} as contacts
    left join refused_contacts
        on contacts.contact_id = refused_contacts.contact_id
    left join unnamed_contacts
        on contacts.account_id = unnamed_contacts.account_id
    where
        contacts.marketing_consent
        and coalesce(contacts.is_active, true)
        and {{ not_deleted_by(as_of_end(), 'contacts') }}

),

consents as (

    select
        account_id,
        unknown_date,
        min(first_date) as first_date
    from contact_consents
    group by account_id, unknown_date

),

consent_days as (

    select distinct
        consents.account_id,
        runs.as_of_date
    from consents
    inner join runs
        on
            consents.first_date <= runs.as_of_date
            and consents.unknown_date > runs.as_of_date

),

unknown_consents as (

    select
        account_id,
        min(valid_from_date) as first_date
    from unknown_contacts
    group by account_id

),

-- few narrow columns go through the windows; what else was said is joined behind them
told_states as (

    select
        history.account_id,
        history.as_of_date,
        runs.run_number,
        {{ passing_hash(
            'history.bucket, history.decision, history.is_overridden, history.flags, history.arr_usd'
        ) }} as told_state
    from {{ ref('fct_health_history') }} as history
    inner join runs
        on history.as_of_date = runs.as_of_date

),

stop_states as (

    select
        account_id,
        as_of_date,
        {{ passing_hash('blocked_by, stop_reasons') }} as stop_state
    from stop_reasons

),

days as (

    select
        told_states.account_id,
        told_states.as_of_date,
        told_states.run_number,
        quiet_days.account_id is not null as is_quiet,
        consent_days.account_id is not null
        and not coalesce(contact_states.is_consent_unknown, false) as has_consent,
        coalesce(contact_states.is_consent_unknown, false)
        or coalesce(unknown_consents.first_date <= told_states.as_of_date, false) as is_consent_unknown,
        {{ passing_hash(
            'told_states.told_state, stop_states.stop_state, unknown_flags.unknown_flags, '
            ~ 'quiet_days.account_id is not null, contact_states.is_contact_unknown, '
            ~ 'consent_days.account_id is not null, contact_states.is_consent_unknown, '
            ~ 'coalesce(unknown_consents.first_date <= told_states.as_of_date, false), floods.as_of_date'
        ) }} as state
    from told_states
    -- every day has its state: a left join says the same, and engines then see that no row goes
    left join contact_states
        on told_states.as_of_date = contact_states.as_of_date
    left join floods
        on told_states.as_of_date = floods.as_of_date
    left join stop_states
        on
            told_states.account_id = stop_states.account_id
            and told_states.as_of_date = stop_states.as_of_date
    left join unknown_flags
        on
            told_states.account_id = unknown_flags.account_id
            and told_states.as_of_date = unknown_flags.as_of_date
    left join quiet_days
        on
            told_states.account_id = quiet_days.account_id
            and told_states.as_of_date = quiet_days.as_of_date
    left join consent_days
        on
            told_states.account_id = consent_days.account_id
            and told_states.as_of_date = consent_days.as_of_date
    left join unknown_consents
        on told_states.account_id = unknown_consents.account_id

),

compared as (

    select
        *,
        lag(state) over by_run as state_before,
        lag(run_number) over by_run as run_before,
        max(run_number) over (partition by account_id) as last_run_of_account
    from days
    window by_run as (
        partition by account_id
        order by run_number
    )

),

-- a span ends on the run that was before the next one's first, the newest one with the account
spans as (

    select
        *,
        coalesce(
            lead(run_before) over (
                partition by account_id
                order by run_number
            ),
            last_run_of_account
        ) as last_run_number
    from compared
    where not coalesce(state = state_before and run_number = run_before + 1, false)

),

final as (

    select
        -- ids
        spans.account_id,
        spans.run_number as first_run_number,
        spans.last_run_number,
        spans.as_of_date as first_date,
        last_runs.as_of_date as last_date,

        -- what was told
        history.bucket,
        history.decision,
        history.is_overridden,
        history.flags,
        unknown_flags.unknown_flags,
        history.arr_usd,
        coalesce(moves.score_before - moves.score, 0) >= {{ setting('hysteresis_points') }} as has_fallen,

        -- what stops and holds
        nullif(concat_ws(
            ', ', stop_reasons.blocked_by, case when floods.as_of_date is not null then 'flood' end
        ), '') as blocked_by,
        stop_reasons.stop_reasons,
        case
            when spans.is_quiet then 'quiet_mode'
            when contact_states.is_contact_unknown then 'contact_unknown'
        end as quiet_reason,
        spans.has_consent,
        spans.is_consent_unknown
    from spans
    inner join {{ ref('fct_health_history') }} as history
        on
            spans.account_id = history.account_id
            and spans.as_of_date = history.as_of_date
    inner join runs as last_runs
        on spans.last_run_number = last_runs.run_number
    left join contact_states
        on spans.as_of_date = contact_states.as_of_date
    left join floods
        on spans.as_of_date = floods.as_of_date
    left join stop_reasons
        on
            spans.account_id = stop_reasons.account_id
            and spans.as_of_date = stop_reasons.as_of_date
    left join unknown_flags
        on
            spans.account_id = unknown_flags.account_id
            and spans.as_of_date = unknown_flags.as_of_date
    left join {{ ref('int_told_moves') }} as moves
        on
            spans.account_id = moves.account_id
            and spans.as_of_date = moves.as_of_date
    where history.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

)

select * from final
