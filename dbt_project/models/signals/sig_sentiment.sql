-- Grain: one row per scored account and as_of_date, also for accounts that never answered.
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(['nps_latest', 'csat_90d', 'pulse_latest']) }}

),

dates as (

    select * from {{ ref('int_signal_dates') }}

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

-- an answer counts until the next one, or until it is too old
nps as (

    select
        account_id,
        score as nps_latest,
        responded_date as valid_from_date,
        least(
            {{ add_days('responded_date', 179) }},
            {{ add_days('lead(responded_date) over (
                partition by account_id
                order by responded_at, response_id
            )', -1) }}
        ) as valid_to_date
    from surveys
    where kind = 'nps'

),

csat as (

    select
        surveys.account_id,
        dates.as_of_date,
        cast(sum(surveys.score) as double) / count(*) as csat_90d
    from dates
    inner join surveys
        on surveys.responded_date between {{ add_days('dates.as_of_date', -89) }} and dates.as_of_date
    where surveys.kind = 'csat'
    group by surveys.account_id, dates.as_of_date

),

recent_pulses as (

    select
        account_id,
        sentiment as pulse_latest,
        recorded_date as valid_from_date,
        least(
            {{ add_days('recorded_date', 89) }},
            {{ add_days('lead(recorded_date) over (
                partition by account_id
                order by recorded_at, pulse_id
            )', -1) }}
        ) as valid_to_date
    from pulses

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
        on {{ in_interval('nps') }}
    left join csat
        on
            accounts.account_id = csat.account_id
            and accounts.as_of_date = csat.as_of_date
    left join recent_pulses
        on {{ in_interval('recent_pulses') }}

)

select * from final
