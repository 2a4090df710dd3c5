-- Grain: one row per scored account and as_of_date, also for accounts that never answered.
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(['nps_latest', 'csat_90d', 'pulse_latest']) }}

),

dates as (

    select * from {{ ref('int_as_of_dates') }}

),

surveys as (

    select
        *,
        cast(responded_at as date) as responded_date
    from {{ ref('stg_feedback__surveys') }}

),

pulses as (

    select
        *,
        cast(recorded_at as date) as recorded_date
    from {{ ref('stg_crm__pulses') }}

),

nps as (

    select
        surveys.account_id,
        dates.as_of_date,
        max_by(surveys.score, row(surveys.responded_at, surveys.response_id)) as nps_latest
    from dates
    inner join surveys
        on {{ in_window('surveys.responded_date', 180) }}
    where surveys.kind = 'nps'
    group by surveys.account_id, dates.as_of_date

),

csat as (

    select
        surveys.account_id,
        dates.as_of_date,
        cast(sum(surveys.score) as double) / count(*) as csat_90d
    from dates
    inner join surveys
        on {{ in_window('surveys.responded_date', 90) }}
    where surveys.kind = 'csat'
    group by surveys.account_id, dates.as_of_date

),

recent_pulses as (

    select
        pulses.account_id,
        dates.as_of_date,
        max_by(pulses.sentiment, row(pulses.recorded_at, pulses.pulse_id)) as pulse_latest
    from dates
    inner join pulses
        on {{ in_window('pulses.recorded_date', 90) }}
    group by pulses.account_id, dates.as_of_date

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('nps_latest', 'cast(nps.nps_latest as double)') }},
        {{ if_known('csat_90d', 'csat.csat_90d') }},
        {{ if_known('pulse_latest', 'cast(recent_pulses.pulse_latest as double)') }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    left join nps
        on
            accounts.account_id = nps.account_id
            and accounts.as_of_date = nps.as_of_date
    left join csat
        on
            accounts.account_id = csat.account_id
            and accounts.as_of_date = csat.as_of_date
    left join recent_pulses
        on
            accounts.account_id = recent_pulses.account_id
            and accounts.as_of_date = recent_pulses.as_of_date

)

select * from final
