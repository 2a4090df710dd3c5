-- Grain: one row per message that an action calls for today, whether or not its destination has it (delivery_key).
--   alert     a slack_alert that is ready; one that a person decides too, for it is sent to that person
--   task      a crm_task that is ready, or that a person approved
--   draft     a mail_draft that waits for an approval
--   approval  the same, shown to its owner with buttons; only where people can answer in Slack is it delivered
--   mail      a mail_draft that a person approved
--   guide     an in_app_guide or a survey that a person approved
--   recovery  once, when the episode of an alert that was delivered is over; not while a person's override is active,
--             who has not mended anything, nor where the same bucket began again
--   reminder  from the day on which a task that was delivered is past its time, and nobody reported it done
with

newest_date as (

    select max(as_of_date) as as_of_date
    from {{ ref('fct_health_history') }}

),

actions as (

    select * from {{ ref('int_action_verdicts') }}
    where is_wanted

),

delivered as (

    select * from {{ ref('int_delivery_states') }}
    where is_delivered

),

health as (

    select * from {{ ref('rpt_account_health') }}

),

messages as (

    select
        action_id,
        case channel
            when 'slack_alert' then 'alert'
            when 'crm_task' then 'task'
            when 'mail_draft' then 'mail'
            else 'guide'
        end as kind
    from actions
    where is_approved
    union all
    select
        actions.action_id,
        kinds.kind
    from actions
    cross join (values ('draft'), ('approval')) as kinds (kind)
    where
        channel = 'mail_draft'
        and not is_approved
    union all
    select
        actions.action_id,
        'recovery' as kind
    from {{ ref('fct_actions') }} as actions
    inner join delivered
        on 'alert:' || actions.action_id = delivered.delivery_key
    left join health
        on actions.account_id = health.account_id
    where
        actions.status = 'closed'
        and not coalesce(health.is_overridden, false)
        and (health.bucket is null or health.bucket <> actions.bucket)
    union all
    select
        actions.action_id,
        'reminder' as kind
    from actions
    cross join newest_date
    inner join delivered
        on 'task:' || actions.action_id = delivered.delivery_key
    where
        actions.is_approved
        and actions.channel = 'crm_task'
        and actions.who = 'owner'
        and actions.due_at <= cast({{ add_days('newest_date.as_of_date', 1) }} as timestamp)
        and delivered.as_of_date < newest_date.as_of_date

),

final as (

    select
        kind || ':' || action_id as delivery_key,
        action_id,
        kind,
        case kind
            when 'task' then 'tasks'
            when 'draft' then 'mail'
            when 'mail' then 'mail'
            when 'guide' then 'webhook'
            else 'slack'
        end as channel
    from messages

)

select * from final
