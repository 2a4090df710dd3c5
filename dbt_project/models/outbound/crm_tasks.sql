-- Grain: one row per task that somebody is to do: an action that may be done by itself, or that a person approved.
-- Guarantees that nobody has dismissed it or reported it done. What is suppressed today waits, also where it was
-- approved.
with

actions as (

    select * from {{ ref('int_action_verdicts') }}
    where
        channel = 'crm_task'
        and is_wanted
        and is_approved

),

final as (

    select
        -- ids
        action_id,
        account_id,
        owner_id,

        -- what to do, why, and until when
        next_action,
        case
            when length(next_action) < 60 then next_action
            -- a word that does not fit is left out whole; one that alone is too long is cut
            else regexp_replace(left(next_action, 58), '\s+\S*$', '') || '…'
        end as subject,
        concat_ws('. Why: ', next_action, evidence) as details,
        bucket,
        evidence,
        due_at,

        -- what scored it
        rule_set,
        rule_version,
        as_of_date
    from actions

)

select * from final
