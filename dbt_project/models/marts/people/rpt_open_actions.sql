-- Grain: one row per action that is open on the newest as-of date: ready, waiting for an approval, or suppressed today.
-- A view: its rows are those of fct_actions.
with

actions as (

    select * from {{ ref('fct_actions') }}
    where
        as_of_date = {{ as_of_end() }}
        and status in ('ready', 'to_approve', 'suppressed')

),

final as (

    select
        -- ids
        action_id,
        account_id,
        owner_id,

        -- what to do
        play,
        channel,
        mode,
        mode_reason,
        next_action,
        priority,
        status,
        suppressed_by,
        channel = 'mail_draft' and status = 'to_approve' as has_draft,
        -- an alert goes to the owner alone: nobody has to approve it
        status = 'to_approve' and channel <> 'slack_alert' as needs_approval,

        -- why, and when
        evidence,
        episode_started_on,
        due_at,
        coalesce(status <> 'suppressed' and due_at <= {{ add_days('as_of_date', 1) }}, false) as is_overdue,
        as_of_date
    from actions

)

select * from final
