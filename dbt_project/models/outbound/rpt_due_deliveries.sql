-- Grain: one row per message that is due and that its destination does not have (delivery_key), with what is written in
-- it, of the newest scored date.
-- A view, so that it shows what is due when it is asked: what was delivered in the meantime is gone from it. No model
-- reads the clock: what failed has the time before which it is not tried again (not_before).
with

newest_date as (

    select max(as_of_date) as as_of_date
    from {{ ref('fct_health_history') }}

),

due as (

    select
        messages.delivery_key,
        messages.kind,
        messages.channel,
        messages.action_id,
        states.status as last_status,
        states.destination as last_destination,
        states.message_key as last_message_key,
        states.recorded_at as last_recorded_at,
        states.error as last_error,
        states.not_before,
        coalesce(states.attempts, 0) as attempts
    from {{ ref('int_messages') }} as messages
    left join {{ ref('int_delivery_states') }} as states
        on messages.delivery_key = states.delivery_key
    where
        states.status is null
        or states.status in ('attempting', 'in_doubt', 'blocked', 'failed')

),

owners as (

    select owners.*
    from {{ ref('stg_crm__owners') }} as owners
    cross join newest_date
    where {{ not_deleted_by('newest_date.as_of_date', 'owners') }}

),

waiting as (

    select
        owner_id,
        count(*) as waiting_actions
    from {{ ref('int_action_verdicts') }}
    where
        is_wanted
        and not is_approved
    group by owner_id

),

final as (

    select
        -- ids
        due.delivery_key,
        due.kind,
        due.channel,
        due.action_id,
        actions.account_id,
        actions.owner_id,

        -- what became of it so far; null where nobody tried
        due.attempts,
        due.last_status,
        due.last_destination,
        due.last_message_key,
        due.last_recorded_at,
        due.last_error,
        due.not_before,

        -- the action
        actions.play,
        actions.channel as play_channel,
        actions.who,
        actions.priority,
        actions.priority <= {{ setting('urgent_priority') }} as is_urgent,
        actions.next_action,
        verdicts.edited_subject,
        verdicts.edited_text,
        actions.mode_reason,
        actions.trigger,
        actions.flag,
        actions.evidence,
        actions.episode_started_on,
        actions.ended_on,
        actions.due_at,
        actions.as_of_date,

        -- the account; where it is not scored any more, its newest name and the bucket of the action
        accounts.account_name,
        coalesce(accounts.bucket, actions.bucket) as bucket,
        accounts.is_scored,
        accounts.score,
        accounts.score_low,
        accounts.score_high,
        accounts.arr_usd,
        accounts.days_to_renewal,
        accounts.reason_1,
        accounts.reason_2,
        accounts.reason_3,
        accounts.reason_4,
        accounts.reason_rules,
        accounts.rule_set,
        accounts.account_url,
        accounts.account_url_label,
        accounts.days_since_login,
        accounts.last_login_date,

        -- its owner; null where it has none
        nullif(trim(owners.name), '') as owner_name,
        owners.email as owner_email,
        owners.slack_user_id,
        threads.slack_thread,
        coalesce(waiting.waiting_actions, 0) as waiting_actions,

        -- the order in which it is sent
        row_number() over (
            order by
                due.channel asc,
                due.kind asc,
                actions.priority asc,
                accounts.arr_usd desc nulls last,
                due.action_id asc
        ) as position
    from due
    inner join {{ ref('fct_actions') }} as actions
        on due.action_id = actions.action_id
    inner join {{ ref('int_message_accounts') }} as accounts
        on actions.account_id = accounts.account_id
    left join {{ ref('int_action_verdicts') }} as verdicts
        on due.action_id = verdicts.action_id
    left join owners
        on actions.owner_id = owners.owner_id
    left join {{ ref('int_slack_threads') }} as threads
        on
            actions.account_id = threads.account_id
            and actions.episode_started_on = threads.episode_started_on
    left join waiting
        on actions.owner_id is not distinct from waiting.owner_id

)

select * from final
