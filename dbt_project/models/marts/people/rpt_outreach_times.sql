-- Grain: one row per action of a flag, so per flag, play and episode: how long the customer waited for us.
-- The clock starts at the end of the day on which the flag was raised: whether a contact on that day came before the
-- flag or because of it is not known. due_at may be later, for it starts when somebody was handed the action; where
-- nobody ever was, an outreach is neither in time nor late. It stops with the first touchpoint of an owner that
-- reached out (outbound, or a meeting; no note, nothing automated) by its own time, up to the end of the episode.
with

actions as (

    select * from {{ ref('fct_actions') }}
    where
        flag is not null
        and status <> 'superseded'
        and episode_started_on <= {{ as_of_end() }}

),

outreach as (

    select
        account_id,
        owner_id,
        touchpoint_id,
        channel,
        occurred_at
    from {{ ref('stg_crm__touchpoints') }}
    where
        {{ is_personal_outreach() }}
        and cast(occurred_at as date) <= {{ as_of_end() }}

),

known as (

    select is_used and is_known as is_known
    from {{ ref('int_signal_states') }}
    where
        signal = 'days_since_contact'
        and as_of_date = {{ as_of_end() }}

),

ranked as (

    select
        actions.action_id,
        outreach.owner_id,
        outreach.channel,
        outreach.occurred_at,
        row_number() over (
            partition by actions.action_id
            order by outreach.occurred_at, outreach.touchpoint_id
        ) as outreach_rank
    from actions
    inner join outreach
        on actions.account_id = outreach.account_id
    where
        cast(outreach.occurred_at as date) > actions.episode_started_on
        and cast(outreach.occurred_at as date) <= coalesce(actions.ended_on, {{ as_of_end() }})

),

final as (

    select
        -- ids
        actions.action_id,
        actions.account_id,
        actions.owner_id,

        -- the flag
        actions.flag,
        actions.play,
        actions.status,
        actions.episode_started_on as flagged_on,
        actions.due_at,
        actions.ended_on,

        -- the first outreach after it
        case
            when ranked.occurred_at is not null then 'reached'
            when not known.is_known then 'not_known'
            when actions.ended_on is not null then 'never'
            else 'waiting'
        end as outcome,
        known.is_known,
        ranked.occurred_at as first_outreach_at,
        ranked.channel as first_outreach_channel,
        ranked.owner_id as first_outreach_owner_id,
        cast(
            cast(
                epoch_us(ranked.occurred_at)
                - epoch_us(cast({{ add_days('actions.episode_started_on', 1) }} as timestamp)) as decimal(24, 6)
            ) / 1000000 as double
        ) / 3600 as hours_to_outreach,
        ranked.occurred_at <= actions.due_at as is_in_time,
        {{ as_of_end() }} as as_of_date
    from actions
    cross join known
    left join ranked
        on
            actions.action_id = ranked.action_id
            and ranked.outreach_rank = 1

)

select * from final
