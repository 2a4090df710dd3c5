-- Grain: one row per action: account, play and episode, as of its newest scored date (as_of_date).
-- The life of a row: it appears as `suppressed` (suppressed_by lists by what) or at once as `ready` (automatic) or
-- `to_approve` (a person decides); it is released on the first date on which nothing stops it, and from then on neither
-- cooldown nor budget stops it, while a stop reason still does; when its episode ends it becomes `closed`, or `lapsed`
-- where it never was released. A flag that comes back later is another episode and another row, which the cooldown
-- stops. What has ended never opens again. `superseded`: past dates were rebuilt, and later ones have another episode.
-- The hours of the playbook count from the end of the day of the hand-over, before it from the end of its newest date;
-- what ended before anybody had it was never due. Only actions of dates of the build or after it are touched.
{{ config(materialized='incremental', incremental_strategy='replace_actions') }}
with

action_days as (

    select * from {{ ref('int_newest_action_days') }}

),

newest_date as (

    select max(as_of_date) as as_of_date
    from {{ ref('fct_health_history') }}

),

-- a play that has left the playbook: its actions end as they were
plays as (

    select
        action_days.action_id,
        playbook.channel,
        playbook.who,
        playbook.mode,
        playbook.next_action,
        playbook.priority,
        playbook.flag,
        playbook.cooldown_days,
        playbook.within_hours,
        true as is_in_playbook,
        cast(null as timestamp) as recorded_due_at
    from action_days
    inner join {{ ref('playbook') }} as playbook
        on action_days.play = playbook.play
    {% if is_incremental() %}
    union all
    select
        actions.action_id,
        actions.channel,
        actions.who,
        actions.mode,
        actions.next_action,
        actions.priority,
        actions.flag,
        null as cooldown_days,
        null as within_hours,
        false as is_in_playbook,
        actions.due_at as recorded_due_at
    from {{ this }} as actions
    where actions.play not in (select playbook.play from {{ ref('playbook') }} as playbook)
    {% endif %}

),

states as (

    select
        action_days.*,
        case when action_days.mode_reason is not null then 'approve' else plays.mode end as mode,
        nullif(concat_ws(
            ', ',
            action_days.suppressed_by,
            case
                when action_days.released_on is not null then null
                when
                    action_days.last_open_on < {{ cooldown_end('action_days.released_before', 'plays.cooldown_days') }}
                    then 'cooldown'
                when action_days.suppressed_by is null then 'budget'
            end
        ), '') as stopped_by,
        case
            when action_days.released_on is null then null
            when action_days.is_open then coalesce(action_days.handed_over_on, action_days.last_open_on)
            else action_days.handed_over_on
        end as hours_count_from
    from action_days
    left join plays
        on action_days.action_id = plays.action_id

),

final as (

    select
        -- ids
        states.action_id,
        states.account_id,
        history.owner_id,

        -- what to do
        states.play,
        plays.channel,
        plays.who,
        states.mode,
        states.mode_reason,
        plays.next_action,
        plays.priority,

        -- state
        case
            when not states.is_open and states.released_on is not null then 'closed'
            when not states.is_open then 'lapsed'
            when states.as_of_date < newest_date.as_of_date then 'superseded'
            when states.stopped_by is not null then 'suppressed'
            when states.mode = 'automatic' then 'ready'
            else 'to_approve'
        end as status,
        case when states.is_open or states.released_on is null then states.stopped_by end as suppressed_by,

        -- why
        states.trigger,
        history.bucket,
        plays.flag,
        coalesce(evidence.evidence, 'No rule held') as evidence,
        history.rule_set,
        history.rule_version,

        -- when
        states.episode_started_on,
        states.released_on,
        case
            when plays.is_in_playbook
                then {{ add_days('states.hours_count_from', 1) }} + coalesce(plays.within_hours, 0) * interval 1 hour
            when states.hours_count_from is not null then plays.recorded_due_at
        end as due_at,
        case when not states.is_open then states.as_of_date end as ended_on,
        states.as_of_date
    from states
    inner join {{ ref('fct_health_history') }} as history
        on
            states.account_id = history.account_id
            and states.last_open_on = history.as_of_date
    cross join newest_date
    left join plays
        on states.action_id = plays.action_id
    left join {{ ref('int_action_evidence') }} as evidence
        on states.action_id = evidence.action_id

)

select * from final
