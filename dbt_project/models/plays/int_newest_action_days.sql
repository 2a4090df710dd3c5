-- Grain: one row per action that is open or has ended on a date of this build or after it: its newest date, and when it
-- was released and handed over.
-- Where a past date was rebuilt, dates after it count last. released_on is the earliest release until last_open_on.
-- released_before: the newest release of another action of the play until then, from which its cooldown counts.
with

action_days as (

    select *
    from {{ ref('int_action_days') }}
    where as_of_date >= {{ as_of_start() }}
    qualify row_number() over (
        partition by action_id
        order by as_of_date desc
    ) = 1

),

releases as (

    select
        action_id,
        account_id,
        play,
        min(as_of_date) as released_on
    from {{ ref('int_action_releases') }}
    group by action_id, account_id, play

),

releases_before as (

    select
        action_days.action_id,
        max(releases.released_on) as released_on
    from action_days
    inner join releases
        on
            action_days.account_id = releases.account_id
            and action_days.play = releases.play
    where
        action_days.action_id <> releases.action_id
        and action_days.last_open_on >= releases.released_on
    group by action_days.action_id

),

final as (

    select
        action_days.*,
        releases.released_on,
        releases_before.released_on as released_before,
        hand_overs.handed_over_on
    from action_days
    left join releases
        on
            action_days.action_id = releases.action_id
            and action_days.last_open_on >= releases.released_on
    left join releases_before
        on action_days.action_id = releases_before.action_id
    left join {{ ref('int_action_hand_overs') }} as hand_overs
        on action_days.action_id = hand_overs.action_id

)

select * from final
