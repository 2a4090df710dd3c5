-- Grain: one row per action: account, play and episode, as its newest run told it (as_of_date).
-- The life of a row, run by run: it appears as `suppressed` (suppressed_by says by what) or at once as `ready`
-- (automatic) or `to_approve` (a person decides); it is released on the first day on which nothing holds it, and from
-- then on neither cooldown nor budget holds it, while a stop rule, quiet mode or a consent that is gone still does;
-- when its episode ends it becomes `closed`, or `lapsed` where it never was released. A flag that comes back later
-- is another episode and another row, which the cooldown holds. What has ended never opens again. `superseded` is
-- left only where past days were told anew and the days after them know another episode.
-- The hours of the playbook count from the end of the day on which the action was handed over; while nobody has it,
-- from the end of its newest day, which is when the run hands it over. So nothing is due before somebody has it, and
-- what somebody has keeps its time. What ended before anybody had it was never due.
-- Only actions of which the window or a day after it tells are touched, so the cost does not grow with history.
{{ config(materialized='incremental', incremental_strategy='replace_actions') }}
with

play_days as (

    select * from {{ ref('int_play_days__as_of') }}
    where as_of_date >= {{ as_of_start() }}

),

playbook as (

    select * from {{ ref('playbook') }}

),

-- an action that a day told anew released has a second row where a later day did so before: the first one counts
releases as (

    select
        action_id,
        account_id,
        play,
        min(as_of_date) as as_of_date
    from {{ ref('int_action_releases__as_of') }}
    group by action_id, account_id, play

),

hand_overs as (

    select * from {{ ref('int_action_hand_overs') }}

),

newest_run as (

    select max(as_of_date) as as_of_date
    from {{ ref('fct_health_history') }}

),

-- plays that have left the playbook: their actions end with the words that they had
gone_plays as (

    {% if is_incremental() %}
    select
        actions.action_id,
        actions.channel,
        actions.who,
        actions.mode,
        actions.due_at,
        actions.flag,
        actions.priority,
        actions.next_action
    from {{ this }} as actions
    left join playbook
        on actions.play = playbook.play
    where playbook.play is null
    {% else %}
    select
        play_days.action_id,
        playbook.channel,
        playbook.who,
        playbook.mode,
        cast(null as timestamp) as due_at,
        playbook.flag,
        playbook.priority,
        playbook.next_action
    from play_days
    inner join playbook
        on play_days.play = playbook.play
    where false
    {% endif %}

),

newest_days as (

    select
        action_id,
        max(as_of_date) as as_of_date
    from play_days
    group by action_id

),

actions as (

    select
        play_days.*,
        releases.as_of_date as released_on
    from play_days
    inner join newest_days
        on
            play_days.action_id = newest_days.action_id
            and play_days.as_of_date = newest_days.as_of_date
    left join releases
        on
            play_days.action_id = releases.action_id
            and play_days.last_open_on >= releases.as_of_date

),

releases_before as (

    select
        actions.action_id,
        max(releases.as_of_date) as released_on
    from actions
    inner join releases
        on
            actions.account_id = releases.account_id
            and actions.play = releases.play
    where
        actions.action_id <> releases.action_id
        and actions.last_open_on >= releases.as_of_date
    group by actions.action_id

),

-- plays that fit on the same day are told the same of it, so the ledger is read once per day and not per play
days_told as (

    select distinct
        actions.account_id,
        actions.last_open_on,
        playbook.flag
    from actions
    left join playbook
        on actions.play = playbook.play

),

rules_told as (

    select
        days_told.*,
        evidence.result,
        evidence.points,
        evidence.rule_number,
        evidence.evidence
    from days_told
    inner join {{ ref('fct_health_evidence') }} as evidence
        on
            days_told.account_id = evidence.account_id
            and days_told.last_open_on = evidence.as_of_date
            and (
                days_told.flag is null
                or days_told.flag = evidence.flag
            )
    where evidence.result in ('true', 'unknown')

),

-- most days have one rule to tell, and need no list in order
counted as (

    select
        account_id,
        last_open_on,
        flag,
        count(*) as rules_told,
        min(evidence) as evidence
    from rules_told
    group by account_id, last_open_on, flag

),

listed as (

    select
        rules_told.account_id,
        rules_told.last_open_on,
        rules_told.flag,
        string_agg(rules_told.evidence, '; ' order by rules_told.points, rules_told.rule_number) filter (
            where rules_told.result = 'true'
        ) as evidence,
        string_agg(rules_told.evidence, '; ' order by rules_told.rule_number) filter (
            where rules_told.result = 'unknown'
        ) as unknown_evidence
    from rules_told
    inner join counted
        on
            rules_told.account_id = counted.account_id
            and rules_told.last_open_on = counted.last_open_on
            and rules_told.flag is not distinct from counted.flag
    where counted.rules_told > 1
    group by rules_told.account_id, rules_told.last_open_on, rules_told.flag

),

ledger as (

    select
        counted.account_id,
        counted.last_open_on,
        counted.flag,
        coalesce(listed.evidence, listed.unknown_evidence, counted.evidence) as evidence
    from counted
    left join listed
        on
            counted.account_id = listed.account_id
            and counted.last_open_on = listed.last_open_on
            and counted.flag is not distinct from listed.flag

),

states as (

    select
        actions.action_id,
        actions.account_id,
        actions.play,
        actions.trigger,
        actions.mode_reason,
        actions.is_open,
        actions.episode_started_on,
        actions.last_open_on,
        actions.released_on,
        actions.as_of_date,
        case
            when actions.released_on is not null
                then coalesce(hand_overs.handed_over_on, case when actions.is_open then actions.last_open_on end)
        end as hours_count_from,
        case when actions.mode_reason is not null then 'approve' else playbook.mode end as mode,
        nullif(concat_ws(
            ', ',
            actions.suppressed_by,
            case
                when actions.released_on is not null then null
                when
                    actions.last_open_on
                    < {{ cooldown_end('releases_before.released_on', 'playbook.cooldown_days') }}
                    then 'cooldown'
                when actions.suppressed_by is null then 'budget'
            end
        ), '') as suppressed_by
    from actions
    left join playbook
        on actions.play = playbook.play
    left join releases_before
        on actions.action_id = releases_before.action_id
    left join hand_overs
        on actions.action_id = hand_overs.action_id

),

final as (

    select
        -- ids
        states.action_id,
        states.account_id,
        history.owner_id,

        -- what to do
        states.play,
        coalesce(playbook.channel, gone_plays.channel) as channel,
        coalesce(playbook.who, gone_plays.who) as who,
        coalesce(states.mode, gone_plays.mode) as mode,
        states.mode_reason,
        coalesce(playbook.next_action, gone_plays.next_action) as next_action,
        coalesce(playbook.priority, gone_plays.priority) as priority,

        -- state
        case
            when not states.is_open and states.released_on is not null then 'closed'
            when not states.is_open then 'lapsed'
            when states.as_of_date < newest_run.as_of_date then 'superseded'
            when states.suppressed_by is not null then 'suppressed'
            when states.mode = 'automatic' then 'ready'
            else 'to_approve'
        end as status,
        case when states.is_open or states.released_on is null then states.suppressed_by end as suppressed_by,

        -- why
        states.trigger,
        history.bucket,
        coalesce(playbook.flag, gone_plays.flag) as flag,
        coalesce(ledger.evidence, 'No rule held') as evidence,
        history.rule_set,
        history.rule_version,

        -- when
        states.episode_started_on,
        states.released_on,
        case
            when playbook.play is not null
                then {{ hours_after_day('states.hours_count_from', 'playbook.within_hours') }}
            when states.hours_count_from is not null then gone_plays.due_at
        end as due_at,
        case when not states.is_open then states.as_of_date end as ended_on,
        states.as_of_date
    from states
    inner join {{ ref('fct_health_history') }} as history
        on
            states.account_id = history.account_id
            and states.last_open_on = history.as_of_date
    cross join newest_run
    left join playbook
        on states.play = playbook.play
    left join gone_plays
        on states.action_id = gone_plays.action_id
    left join ledger
        on
            states.account_id = ledger.account_id
            and states.last_open_on = ledger.last_open_on
            and playbook.flag is not distinct from ledger.flag

)

select * from final
