-- Grain: one row per account, play and scored date on which an episode of the play is open, and one for the scored date
-- on which it has ended (is_open false).
-- An episode starts on the scored date on which a row of the playbook fits the account's state: a bucket crossed, a
-- flag raised. It goes on from scored date to scored date while the row fits, and while it may fit: an undecided
-- bucket and an unknown flag end nothing. It has ended on the first scored date on which the row cannot fit, or the
-- account is not scored. Earlier dates are read from the rows of the scored date before the build.
{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='append_new_columns') }}
with

scored_dates as (

    select * from {{ ref('int_scored_dates') }}

),

states as (

    select
        *,
        decision <> 'decided' and not is_overridden as is_bucket_in_doubt
    from {{ ref('int_account_states') }}
    where as_of_date <= {{ as_of_end() }}

),

playbook as (

    select
        play,
        concat_ws(', ', 'flag ' || flag, 'bucket ' || bucket) as trigger,
        bucket,
        flag
    from {{ ref('playbook') }}

),

open_days as (

    select
        states.account_id,
        playbook.play,
        playbook.trigger,
        states.as_of_date,
        states.date_number,
        case when {{ play_fits('playbook', 'states') }} then states.as_of_date end as fits_on
    from states
    inner join playbook
        on
            (playbook.bucket is null or states.bucket = playbook.bucket or states.is_bucket_in_doubt)
            and (
                playbook.flag is null
                or {{ is_among('playbook.flag', 'states.flags') }}
                or {{ is_among('playbook.flag', 'states.unknown_flags') }}
            )
    {% if is_incremental() %}
    union all
    select
        earlier.account_id,
        earlier.play,
        earlier.trigger,
        earlier.as_of_date,
        scored_dates.date_number - 1 as date_number,
        earlier.episode_started_on as fits_on
    from {{ this }} as earlier
    inner join scored_dates
        on earlier.as_of_date = scored_dates.previous_date
    where
        earlier.is_open
        and earlier.as_of_date < {{ as_of_start() }}
    {% endif %}

),

-- consecutive scored dates share the difference between their number and their rank
streaks as (

    select
        *,
        date_number - row_number() over (
            partition by account_id, play, trigger
            order by date_number
        ) as streak
    from open_days

),

started as (

    select
        *,
        min(fits_on) over streak_of_play as episode_started_on,
        date_number = max(date_number) over streak_of_play as is_last
    from streaks
    window streak_of_play as (
        partition by account_id, play, trigger, streak
    )

),

episode_days as (

    select
        account_id,
        as_of_date,
        play,
        trigger,
        true as is_open,
        episode_started_on,
        as_of_date as last_open_on
    from started
    where
        as_of_date >= episode_started_on
        and as_of_date >= {{ as_of_start() }}
    union all
    select
        started.account_id,
        scored_dates.as_of_date,
        started.play,
        started.trigger,
        false as is_open,
        started.episode_started_on,
        started.as_of_date as last_open_on
    from started
    inner join scored_dates
        on started.date_number + 1 = scored_dates.date_number
    where
        started.is_last
        and started.episode_started_on is not null

),

final as (

    select
        md5(concat_ws('|', account_id, play, trigger, episode_started_on)) as action_id,
        *
    from episode_days

)

select * from final
