-- Grain: one row per task that somebody is to do: an action that may be done by itself, or that a person approved.
-- Guarantees that nobody has dismissed it or reported it done. What is suppressed today waits, also where it was
-- approved.
with

actions as (

    select * from {{ ref('fct_actions') }}
    where
        channel = 'crm_task'
        and status in ('ready', 'to_approve')

),

verdicts as (

    select
        action_id,
        verdict,
        row_number() over (
            partition by action_id
            order by reviewed_at desc, review_id desc
        ) as place
    from {{ ref('int_reviews') }}
    where kind = 'action'

),

decisions as (

    select
        action_id,
        max(case when place = 1 then verdict end) as last_verdict,
        max(case when verdict = 'approved' then 1 else 0 end) = 1 as is_approved
    from verdicts
    group by action_id

),

final as (

    select
        -- ids
        actions.action_id,
        actions.account_id,
        actions.owner_id,

        -- what to do, why, and until when
        actions.next_action,
        actions.bucket,
        actions.evidence,
        actions.due_at,

        -- what scored it
        actions.rule_set,
        actions.rule_version,
        actions.as_of_date
    from actions
    left join decisions
        on actions.action_id = decisions.action_id
    where
        (actions.status = 'ready' or coalesce(decisions.is_approved, false))
        and coalesce(decisions.last_verdict, '') not in ('dropped', 'done')

)

select * from final
