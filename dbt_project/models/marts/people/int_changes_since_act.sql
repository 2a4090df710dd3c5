-- Grain: one row per account that was worked on and whose work something has undone since: what, as a rep reads it.
-- In this order: the day that was waited for has come, the rules give a worse bucket, the score fell, a rule takes
-- points that took none then, the renewal has come near, the work is old. Age does not count while a day to come is
-- waited for.
with

acts as (

    select * from {{ ref('int_last_acts') }}

),

today as (

    select * from {{ ref('rpt_account_health') }}

),

seen as (

    select
        acts.account_id,
        history.model_bucket,
        history.score
    from acts
    inner join {{ ref('fct_health_history') }} as history
        on
            acts.account_id = history.account_id
            and acts.seen_date = history.as_of_date

),

evidence as (

    select
        account_id,
        as_of_date,
        rule_id,
        rule_number,
        points,
        evidence
    from {{ ref('fct_health_evidence') }}
    where
        result = 'true'
        and points < 0

),

new_reasons as (

    select
        acts.account_id,
        min_by(evidence.evidence, (evidence.points, evidence.rule_number)) as reason
    from acts
    inner join seen
        on acts.account_id = seen.account_id
    inner join evidence
        on acts.account_id = evidence.account_id
    left join evidence as before
        on
            acts.account_id = before.account_id
            and acts.seen_date = before.as_of_date
            and evidence.rule_id = before.rule_id
    where
        evidence.as_of_date = {{ as_of_end() }}
        and before.rule_id is null
    group by acts.account_id

),

changes as (

    select
        acts.account_id,
        case
            when acts.until_date <= today.as_of_date
                then 'The day that was agreed on has come'
            when {{ bucket_rank('today.model_bucket') }} < {{ bucket_rank('seen.model_bucket') }}
                then
                    'The rules went from ' || replace(seen.model_bucket, '_', ' ')
                    || ' to ' || replace(today.model_bucket, '_', ' ')
            when seen.score - today.score >= {{ setting('work_reopen_points') }}
                then 'Score fell by ' || {{ format_number('seen.score - today.score') }}
            when new_reasons.reason is not null
                then 'New: ' || new_reasons.reason
            when
                today.days_to_renewal <= {{ setting('renewal_near_days') }}
                and today.days_to_renewal + (today.as_of_date - acts.seen_date) > {{ setting('renewal_near_days') }}
                then 'The renewal has come near'
            when
                acts.until_date is null
                and today.as_of_date - acts.seen_date >= {{ setting('work_reopen_days') }}
                then
                    'Nobody has looked for ' || (today.as_of_date - acts.seen_date)
                    || case when today.as_of_date - acts.seen_date = 1 then ' day' else ' days' end
        end as changed
    from acts
    inner join today
        on acts.account_id = today.account_id
    left join seen
        on acts.account_id = seen.account_id
    left join new_reasons
        on acts.account_id = new_reasons.account_id

),

final as (

    select
        account_id,
        changed
    from changes
    where changed is not null

)

select * from final
