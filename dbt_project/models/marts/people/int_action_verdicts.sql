-- Grain: one row per action that waits today or may be done today, with what people answered.
-- Guarantees that nothing suppressed, closed or of an earlier date is in it: what is suppressed today waits, also where
-- it was approved.
-- is_wanted: nobody has dismissed it, reported it done or put it off to a day to come. is_approved: it may go out; an
-- alert goes to the person who decides, so it needs no approval. edited_subject and edited_text: what the last approval
-- wrote in place of the draft; null where it took the draft as it was.
with

newest_date as (

    select max(as_of_date) as as_of_date
    from {{ ref('fct_health_history') }}

),

actions as (

    select actions.*
    from {{ ref('fct_actions') }} as actions
    inner join newest_date
        on actions.as_of_date = newest_date.as_of_date
    where actions.status in ('ready', 'to_approve')

),

verdicts as (

    select
        action_id,
        verdict,
        until_date,
        edited_subject,
        edited_text,
        row_number() over (
            partition by action_id
            order by reviewed_at desc, review_id desc
        ) as verdict_rank,
        row_number() over (
            partition by action_id, verdict
            order by reviewed_at desc, review_id desc
        ) as rank_of_kind
    from {{ ref('int_reviews') }}
    where kind = 'action'

),

answers as (

    select
        action_id,
        max(case when verdict_rank = 1 then verdict end) as last_verdict,
        max(case when verdict_rank = 1 and verdict = 'not_now' then until_date end) as put_off_until,
        max(case when verdict = 'approved' then 1 else 0 end) = 1 as is_approved,
        max(case when verdict = 'approved' and rank_of_kind = 1 then edited_subject end) as edited_subject,
        max(case when verdict = 'approved' and rank_of_kind = 1 then edited_text end) as edited_text
    from verdicts
    group by action_id

),

final as (

    select
        actions.*,
        coalesce(answers.last_verdict, '') not in ('dropped', 'done')
        and coalesce(answers.put_off_until <= actions.as_of_date, true) as is_wanted,
        actions.status = 'ready'
        or actions.channel = 'slack_alert'
        or coalesce(answers.is_approved, false) as is_approved,
        answers.edited_subject,
        answers.edited_text
    from actions
    left join answers
        on actions.action_id = answers.action_id

)

select * from final
