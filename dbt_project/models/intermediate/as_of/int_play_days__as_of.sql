-- Grain: one row per account, play and span of runs (first_date to as_of_date) on which an episode of the play goes on
-- and nothing changes that is said of it, or on which it has just ended.
-- An episode begins on the day on which a row of the playbook fits what was told: a bucket crossed, a flag raised.
-- It goes on from run to run while the row fits, and while that can't be told: a day that is undecided and a flag
-- that is unknown end nothing. It ends on the first run on which the row does not fit or the account is not told;
-- that day has a row too, with is_open false and the last open day's reasons.
-- suppressed_by names what holds the play on these days, but for cooldown and budget, which hang on what was released
-- before. mode_reason says why a person decides, from the first such day of the episode to its end.
-- Days before the window are read from the rows of the run before it, so the cost does not grow with history.
-- A warehouse of an earlier version has rows of single days, without first_date.
{{ config(
    incremental_strategy='replace_spans',
    pre_hook="{% if is_incremental() %}alter table {{ this }} add column if not exists first_date date{% endif %}"
) }}
with

runs as (

    select * from {{ ref('int_told_runs') }}

),

told as (

    select * from {{ ref('int_told_spans') }}

),

playbook as (

    select
        *,
        concat_ws(', ', 'flag ' || flag, 'bucket ' || bucket) as trigger
    from {{ ref('playbook') }}

),

-- episodes that were open on the run before the window
earlier as (

    {% if is_incremental() %}
    select
        play_days.account_id,
        play_days.play,
        play_days.trigger,
        runs.date_before as as_of_date,
        play_days.episode_started_on,
        play_days.suppressed_by,
        play_days.mode_reason
    from {{ this }} as play_days
    inner join runs
        on
            play_days.as_of_date >= runs.date_before
            and coalesce(play_days.first_date, play_days.as_of_date) <= runs.date_before
    where
        play_days.is_open
        and runs.run_number = 1
    {% else %}
    select
        account_id,
        cast(null as {{ dbt.type_string() }}) as play,
        cast(null as {{ dbt.type_string() }}) as trigger,
        first_date as as_of_date,
        first_date as episode_started_on,
        cast(null as {{ dbt.type_string() }}) as suppressed_by,
        cast(null as {{ dbt.type_string() }}) as mode_reason
    from told
    where false
    {% endif %}

),

-- what is at stake, by a number: a play may have left the playbook
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
        cast(0 as smallint) as run_number
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
        told.first_run_number,
        told.last_run_number,
        told.first_date,
        told.last_date
    from told
    inner join numbered_playbook as playbook
        on {{ play_fits('playbook', 'told') }}

),

-- only on such days something may be neither true nor false
doubtful as (

    select * from told
    where
        decision <> 'decided'
        or unknown_flags is not null

),

-- plays that may have begun before, on days on which it can't be told that they have ended
in_doubt as (

    select
        told.account_id,
        playbook.play_number,
        told.first_run_number,
        told.last_run_number,
        told.first_date,
        told.last_date
    from doubtful as told
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
    where
        not ({{ play_fits('playbook', 'told') }})
        and (
            coalesce(playbook.bucket, told.bucket) = told.bucket
            or (told.decision <> 'decided' and not told.is_overridden)
        )
        and (
            {{ is_among('playbook.flag', 'told.unknown_flags') }}
            or {{ flag_fits('playbook', 'told') }}
        )

),

marks as (

    select
        account_id,
        play_number,
        run_number as first_run_number,
        run_number as last_run_number,
        as_of_date as first_date,
        as_of_date as last_date,
        episode_started_on as fits_from
    from numbered_earlier
    union all
    select
        *,
        first_date as fits_from
    from fitting
    union all
    select
        *,
        cast(null as date) as fits_from
    from in_doubt

),

-- a spell is marks of runs that follow on one another, so as many runs without a mark lie before each of them
unbroken as (

    select
        *,
        last_run_number - sum(last_run_number - first_run_number + 1) over (
            partition by account_id, play_number
            order by first_run_number
            rows between unbounded preceding and current row
        ) as spell
    from marks

),

spells as (

    select
        account_id,
        play_number,
        spell,
        min(fits_from) as episode_started_on,
        min(first_run_number) as first_run_number,
        max(last_run_number) as last_run_number,
        max(last_date) as last_open_on
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

-- what is said of an account, and the newest reasons so far for a person to decide
said as (

    select
        account_id,
        first_run_number,
        blocked_by,
        has_fallen,
        quiet_reason,
        has_consent,
        is_consent_unknown,
        arr_usd,
        max(case when stop_reasons is not null then last_date end) over so_far as last_reason_date,
        last_value(stop_reasons ignore nulls) over so_far as last_reasons
    from told
    window so_far as (
        partition by account_id
        order by first_run_number
        rows between unbounded preceding and current row
    )

),

open_spans as (

    select
        episodes.action_id,
        episodes.account_id,
        episodes.play,
        episodes.trigger,
        episodes.episode_started_on,
        unbroken.first_run_number,
        unbroken.last_run_number,
        unbroken.first_date,
        unbroken.last_date,
        unbroken.last_run_number = episodes.last_run_number as is_last_of_episode,
        said.arr_usd,
        said.blocked_by,
        case when {{ reaches_customer('playbook.channel') }} then said.quiet_reason end as quiet_reason,
        case
            when {{ reaches_customer('playbook.channel') }} and not said.has_consent
                then case when said.is_consent_unknown then 'consent_unknown' else 'no_consent' end
        end as consent_reason,
        playbook.flag is null
        and unbroken.first_date = episodes.episode_started_on
        and not said.has_fallen as waits_on_first_day,
        case
            when said.last_reason_date >= episodes.episode_started_on then said.last_reasons
            else episodes.earlier_mode_reason
        end as mode_reason
    from unbroken
    inner join episodes
        on
            unbroken.account_id = episodes.account_id
            and unbroken.play_number = episodes.play_number
            and unbroken.spell = episodes.spell
    inner join numbered_playbook as playbook
        on unbroken.play_number = playbook.play_number
    -- every run has its row: an inner join says the same, but then engines may begin with all that is said of all runs
    left join said
        on
            unbroken.account_id = said.account_id
            and unbroken.first_run_number = said.first_run_number
    where
        unbroken.first_run_number > 0
        and unbroken.first_date >= episodes.episode_started_on

),

-- what becomes of a span: its days, or its first day, which waits, and the rest; and the run behind the episode's last
-- open day, which tells the end
parts as (

    select 'days' as part
    union all
    select 'rest' as part
    union all
    select 'end' as part

),

told_parts as (

    select
        open_spans.*,
        parts.part,
        second_runs.as_of_date as second_date,
        next_runs.as_of_date as next_date,
        case
            when
                open_spans.waits_on_first_day
                and (parts.part = 'days' or open_spans.first_run_number = open_spans.last_run_number)
                then 'hysteresis'
        end as hysteresis
    from open_spans
    left join runs as second_runs
        on open_spans.first_run_number = second_runs.run_number - 1
    left join runs as next_runs
        on open_spans.last_run_number = next_runs.run_number - 1
    inner join parts
        on
            parts.part = 'days'
            or (
                parts.part = 'rest'
                and open_spans.waits_on_first_day
                and open_spans.first_run_number < open_spans.last_run_number
            )
            or (
                parts.part = 'end'
                and open_spans.is_last_of_episode
                and next_runs.as_of_date is not null
            )

),

final as (

    select
        -- ids
        action_id,
        account_id,
        case part when 'days' then first_date when 'rest' then second_date else next_date end as first_date,
        case
            when part = 'end' then next_date
            when part = 'days' and waits_on_first_day then first_date
            else last_date
        end as as_of_date,
        play,
        trigger,

        -- state
        part <> 'end' as is_open,
        nullif(concat_ws(', ', blocked_by, hysteresis, quiet_reason, consent_reason), '') as suppressed_by,
        mode_reason,
        case when part <> 'end' then arr_usd end as arr_usd,

        -- dates
        episode_started_on,
        case when part = 'days' and waits_on_first_day then first_date else last_date end as last_open_on
    from told_parts
    union all
    -- what was open before the window and is over on its first run
    select
        episodes.action_id,
        episodes.account_id,
        runs.as_of_date as first_date,
        runs.as_of_date,
        episodes.play,
        episodes.trigger,
        false as is_open,
        episodes.earlier_suppressed_by as suppressed_by,
        episodes.earlier_mode_reason as mode_reason,
        cast(null as double) as arr_usd,
        episodes.episode_started_on,
        episodes.last_open_on
    from episodes
    inner join runs
        on episodes.last_run_number = runs.run_number - 1
    where episodes.last_run_number = 0

)

select * from final
