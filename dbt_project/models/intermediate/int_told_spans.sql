-- Grain: one row per account and span of runs of this build (first_run_number to last_run_number) over which nothing
-- changes that plays hang on: what was told, what stops an action, whether a customer may be written to.
-- has_fallen: on the first day the score was lower than on the run before by so much that plays do not wait.
with

runs as (

    select * from {{ ref('int_told_runs') }}

),

history as (

    select * from {{ ref('fct_health_history') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

stop_reasons as (

    select * from {{ ref('int_stop_reasons__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

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
        cast(occurred_at as date) as contact_date
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
            and contact_days.contact_date > {{ add_days('runs.as_of_date', '-1 * ' ~ setting('quiet_days')) }}

),

contact_states as (

    select
        as_of_date,
        is_used and not is_known as is_contact_unknown
    from {{ ref('int_signal_states') }}
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and signal = 'days_since_contact'

),

consents as (

    select
        account_id,
        min(greatest(
            coalesce(cast(created_at as date), cast('0001-01-01' as date)),
            coalesce(cast(consent_updated_at as date), cast('0001-01-01' as date))
        )) as first_consent_date
    from {{ ref('stg_crm__contacts') }}
    where
        marketing_consent
        and coalesce(is_active, true)
    group by account_id

),

days as (

    select
        history.account_id,
        history.as_of_date,
        runs.run_number,
        history.bucket,
        history.decision,
        history.is_overridden,
        history.flags,
        unknown_flags.unknown_flags,
        history.arr_usd,
        stop_reasons.blocked_by,
        stop_reasons.stop_reasons,
        case
            when quiet_days.account_id is not null then 'quiet_mode'
            when contact_states.is_contact_unknown then 'contact_unknown'
        end as quiet_reason,
        coalesce(consents.first_consent_date <= history.as_of_date, false) as has_consent
    from history
    inner join runs
        on history.as_of_date = runs.as_of_date
    inner join contact_states
        on history.as_of_date = contact_states.as_of_date
    left join stop_reasons
        on
            history.account_id = stop_reasons.account_id
            and history.as_of_date = stop_reasons.as_of_date
    left join unknown_flags
        on
            history.account_id = unknown_flags.account_id
            and history.as_of_date = unknown_flags.as_of_date
    left join quiet_days
        on
            history.account_id = quiet_days.account_id
            and history.as_of_date = quiet_days.as_of_date
    left join consents
        on history.account_id = consents.account_id

),

numbered_states as (

    select
        *,
        {{ passing_hash(
            'bucket, decision, is_overridden, flags, unknown_flags, arr_usd, blocked_by, stop_reasons, '
            ~ 'quiet_reason, has_consent'
        ) }} as state
    from days

),

compared as (

    select
        *,
        coalesce(
            lag(state) over by_run = state and lag(run_number) over by_run = run_number - 1, false
        ) as goes_on_from_before,
        coalesce(
            lead(state) over by_run = state and lead(run_number) over by_run = run_number + 1, false
        ) as goes_on
    from numbered_states
    window by_run as (
        partition by account_id
        order by run_number
    )

),

-- the first and the last day of each span are left, one row where they are the same
edges as (

    select
        *,
        case
            when goes_on then lead(run_number) over by_run
            else run_number
        end as last_run_number,
        case
            when goes_on then lead(as_of_date) over by_run
            else as_of_date
        end as last_date
    from compared
    where not (goes_on_from_before and goes_on)
    window by_run as (
        partition by account_id
        order by run_number
    )

),

final as (

    select
        -- ids
        edges.account_id,
        edges.run_number as first_run_number,
        edges.last_run_number,
        edges.as_of_date as first_date,
        edges.last_date,

        -- what was told
        edges.bucket,
        edges.decision,
        edges.is_overridden,
        edges.flags,
        edges.unknown_flags,
        edges.arr_usd,
        coalesce(moves.score_before - moves.score, 0) >= {{ setting('hysteresis_points') }} as has_fallen,

        -- what stops and holds
        edges.blocked_by,
        edges.stop_reasons,
        edges.quiet_reason,
        edges.has_consent
    from edges
    left join {{ ref('int_told_moves') }} as moves
        on
            edges.account_id = moves.account_id
            and edges.as_of_date = moves.as_of_date
    where not edges.goes_on_from_before

)

select * from final
