-- Grain: one row per account, play and as_of_date on which an episode of the play goes on or has just ended.
-- An episode begins on the day on which a row of the playbook fits what was told: a bucket crossed, a flag raised.
-- It goes on from run to run while the row fits, and while that can't be told: a day that is undecided and a flag
-- that is unknown end nothing. It ends on the first run on which the row does not fit or the account is not told;
-- that day has a row too, with is_open false and the last open day's reasons.
-- suppressed_by names what holds the play on the day, but for cooldown and budget, which hang on what was released
-- before. mode_reason says why a person decides, from the first such day of the episode to its end.
-- Days before the window are read from the rows of the run before it, so the cost does not grow with history.
with

told as (

    select * from {{ ref('int_told_days') }}

),

playbook as (

    select
        *,
        concat_ws(', ', 'flag ' || flag, 'bucket ' || bucket) as trigger
    from {{ ref('playbook') }}

),

dates as (

    select
        as_of_date,
        date_before,
        row_number() over (order by as_of_date) as run_number
    from (
        select distinct
            as_of_date,
            date_before
        from told
    ) as dates_told

),

-- episodes that were open on the run before the window
earlier as (

    {% if is_incremental() %}
    select
        play_days.account_id,
        play_days.play,
        play_days.trigger,
        play_days.as_of_date,
        play_days.episode_started_on,
        play_days.suppressed_by,
        play_days.mode_reason
    from {{ this }} as play_days
    inner join dates
        on play_days.as_of_date = dates.date_before
    where
        play_days.is_open
        and dates.run_number = 1
    {% else %}
    select
        account_id,
        cast(null as {{ dbt.type_string() }}) as play,
        cast(null as {{ dbt.type_string() }}) as trigger,
        as_of_date,
        as_of_date as episode_started_on,
        cast(null as {{ dbt.type_string() }}) as suppressed_by,
        cast(null as {{ dbt.type_string() }}) as mode_reason
    from told
    where false
    {% endif %}

),

-- what is at stake, by a number: millions of rows go through the windows below
plays as (

    select
        play,
        trigger,
        row_number() over (order by play, trigger) as play_number
    from (
        select
            play,
            trigger
        from playbook
        union
        select
            play,
            trigger
        from earlier
    ) as plays_at_stake

),

numbered_playbook as (

    select
        playbook.*,
        plays.play_number
    from playbook
    inner join plays
        on
            playbook.play = plays.play
            and playbook.trigger = plays.trigger

),

numbered_earlier as (

    select
        earlier.*,
        plays.play_number,
        0 as run_number
    from earlier
    inner join plays
        on
            earlier.play = plays.play
            and earlier.trigger = plays.trigger

),

fitting as (

    select
        told.account_id,
        playbook.play_number,
        told.as_of_date
    from told
    inner join numbered_playbook as playbook
        on {{ play_fits('playbook', 'told') }}

),

unknown_flags as (

    select distinct
        account_id,
        as_of_date,
        flag
    from {{ ref('fct_health_evidence') }}
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and result = 'unknown'
        and flag is not null

),

-- only on such days something may be neither true nor false
doubtful_days as (

    select told.*
    from told
    left join (
        select distinct
            account_id,
            as_of_date
        from unknown_flags
    ) as days_with_unknown_flags
        on
            told.account_id = days_with_unknown_flags.account_id
            and told.as_of_date = days_with_unknown_flags.as_of_date
    where
        told.decision <> 'decided'
        or days_with_unknown_flags.account_id is not null

),

-- plays that may have begun before, on days on which it can't be told that they have ended
in_doubt as (

    select
        told.account_id,
        playbook.play_number,
        told.as_of_date
    from doubtful_days as told
    inner join (
        select
            account_id,
            play_number
        from fitting
        union
        select
            account_id,
            play_number
        from numbered_earlier
    ) as begun
        on told.account_id = begun.account_id
    inner join numbered_playbook as playbook
        on begun.play_number = playbook.play_number
    left join unknown_flags
        on
            told.account_id = unknown_flags.account_id
            and told.as_of_date = unknown_flags.as_of_date
            and playbook.flag = unknown_flags.flag
    where
        not ({{ play_fits('playbook', 'told') }})
        and (
            coalesce(playbook.bucket, told.bucket) = told.bucket
            or (told.decision <> 'decided' and not told.is_overridden)
        )
        and (
            unknown_flags.flag is not null
            or {{ flag_fits('playbook', 'told') }}
        )

),

marks as (

    select
        account_id,
        play_number,
        run_number,
        as_of_date,
        episode_started_on as fits_from
    from numbered_earlier
    union all
    select
        fitting.account_id,
        fitting.play_number,
        dates.run_number,
        fitting.as_of_date,
        fitting.as_of_date as fits_from
    from fitting
    inner join dates
        on fitting.as_of_date = dates.as_of_date
    union all
    select
        in_doubt.account_id,
        in_doubt.play_number,
        dates.run_number,
        in_doubt.as_of_date,
        null as fits_from
    from in_doubt
    inner join dates
        on in_doubt.as_of_date = dates.as_of_date

),

-- a spell is marks of runs that follow on one another
unbroken as (

    select
        *,
        run_number - row_number() over (
            partition by account_id, play_number
            order by run_number
        ) as spell
    from marks

),

spells as (

    select
        account_id,
        play_number,
        spell,
        min(fits_from) as episode_started_on,
        min(run_number) as first_run_number,
        max(run_number) as last_run_number,
        max(as_of_date) as last_open_on
    from unbroken
    group by account_id, play_number, spell

),

-- the episode of a spell begins where the play fits for the first time
episodes as (

    select
        md5(concat_ws('|', spells.account_id, plays.play, plays.trigger, spells.episode_started_on)) as action_id,
        spells.account_id,
        plays.play,
        plays.trigger,
        spells.play_number,
        spells.spell,
        spells.episode_started_on,
        spells.last_run_number,
        spells.last_open_on,
        earlier.suppressed_by as earlier_suppressed_by,
        earlier.mode_reason as earlier_mode_reason
    from spells
    inner join plays
        on spells.play_number = plays.play_number
    left join numbered_earlier as earlier
        on
            spells.account_id = earlier.account_id
            and spells.play_number = earlier.play_number
            and spells.first_run_number = earlier.run_number
    where spells.episode_started_on is not null

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
        dates.as_of_date
    from contact_days
    inner join dates
        on
            contact_days.contact_date <= dates.as_of_date
            and contact_days.contact_date > {{ add_days('dates.as_of_date', '-1 * ' ~ setting('quiet_days')) }}

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

account_days as (

    select
        told.account_id,
        told.as_of_date,
        stop_reasons.blocked_by,
        coalesce(told.score_before - told.score, 0) >= {{ setting('hysteresis_points') }} as has_fallen,
        case
            when quiet_days.account_id is not null then 'quiet_mode'
            when contact_states.is_contact_unknown then 'contact_unknown'
        end as quiet_reason,
        coalesce(consents.first_consent_date <= told.as_of_date, false) as has_consent,
        max(case when stop_reasons.stop_reasons is not null then told.as_of_date end) over so_far as last_reason_date,
        last_value(stop_reasons.stop_reasons ignore nulls) over so_far as last_reasons
    from told
    inner join {{ ref('int_stop_reasons__as_of') }} as stop_reasons
        on
            told.account_id = stop_reasons.account_id
            and told.as_of_date = stop_reasons.as_of_date
    inner join contact_states
        on told.as_of_date = contact_states.as_of_date
    left join quiet_days
        on
            told.account_id = quiet_days.account_id
            and told.as_of_date = quiet_days.as_of_date
    left join consents
        on told.account_id = consents.account_id
    where stop_reasons.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
    window so_far as (
        partition by told.account_id
        order by told.as_of_date
        rows between unbounded preceding and current row
    )

),

-- the days on which an episode is open, and the run behind the last of them, which tells its end
episode_days as (

    select
        episodes.action_id,
        episodes.account_id,
        episodes.play,
        episodes.trigger,
        episodes.episode_started_on,
        cast(null as {{ dbt.type_string() }}) as earlier_suppressed_by,
        episodes.earlier_mode_reason,
        unbroken.as_of_date,
        unbroken.as_of_date as last_open_on,
        true as is_open,
        true as is_of_window
    from unbroken
    inner join episodes
        on
            unbroken.account_id = episodes.account_id
            and unbroken.play_number = episodes.play_number
            and unbroken.spell = episodes.spell
    where
        unbroken.run_number > 0
        and unbroken.as_of_date >= episodes.episode_started_on
    union all
    select
        episodes.action_id,
        episodes.account_id,
        episodes.play,
        episodes.trigger,
        episodes.episode_started_on,
        episodes.earlier_suppressed_by,
        episodes.earlier_mode_reason,
        dates.as_of_date,
        episodes.last_open_on,
        false as is_open,
        episodes.last_run_number > 0 as is_of_window
    from episodes
    inner join dates
        on episodes.last_run_number = dates.run_number - 1

),

final as (

    select
        -- ids
        episode_days.action_id,
        episode_days.account_id,
        episode_days.as_of_date,
        episode_days.play,
        episode_days.trigger,

        -- state, of the last open day
        episode_days.is_open,
        case
            when not episode_days.is_of_window then episode_days.earlier_suppressed_by
            else nullif(concat_ws(
                ', ',
                account_days.blocked_by,
                case
                    when
                        playbook.flag is null
                        and episode_days.last_open_on = episode_days.episode_started_on
                        and not account_days.has_fallen
                        then 'hysteresis'
                end,
                case when {{ reaches_customer('playbook.channel') }} then account_days.quiet_reason end,
                case
                    when {{ reaches_customer('playbook.channel') }} and not account_days.has_consent
                        then 'no_consent'
                end
            ), '')
        end as suppressed_by,
        case
            when account_days.last_reason_date >= episode_days.episode_started_on then account_days.last_reasons
            else episode_days.earlier_mode_reason
        end as mode_reason,

        -- dates
        episode_days.episode_started_on,
        episode_days.last_open_on
    from episode_days
    -- no row of either where the play has left the playbook, or the last open day lies before the window
    left join playbook
        on episode_days.play = playbook.play
    left join account_days
        on
            episode_days.account_id = account_days.account_id
            and episode_days.last_open_on = account_days.as_of_date

)

select * from final
