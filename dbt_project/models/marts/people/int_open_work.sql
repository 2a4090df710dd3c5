-- Grain: one row per account with an open action: whether a person has to approve something, and whether something is
-- past its time. What somebody dropped, did or put off to a day to come is neither.
with

answers as (

    select
        action_id,
        verdict,
        until_date,
        row_number() over (
            partition by action_id
            order by reviewed_at desc, review_id desc
        ) as answer_rank
    from {{ ref('int_reviews') }}
    where kind = 'action'

),

open_actions as (

    select
        actions.*,
        coalesce(answers.verdict in ('dropped', 'done'), false)
        or coalesce(answers.until_date > actions.as_of_date, false) as is_off,
        coalesce(answers.verdict = 'approved', false) as is_approved
    from {{ ref('rpt_open_actions') }} as actions
    left join answers
        on
            actions.action_id = answers.action_id
            and answers.answer_rank = 1

),

-- an alert goes to the owner alone: nobody has to approve it
final as (

    select
        account_id,
        bool_or(status = 'to_approve' and channel <> 'slack_alert' and not is_approved and not is_off)
            as has_to_approve,
        bool_or(is_overdue and not is_off) as has_overdue
    from open_actions
    group by account_id

)

select * from final
