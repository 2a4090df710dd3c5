-- Grain: one row per account of My day: one that needs a person, has something to approve, is ready to grow, is drawn
-- for a spot check, has a task past its time, or was worked on.
-- Order: a live subscription first, then the revenue at risk (revenue times how far the score may be from 100), raised
-- as the renewal comes near. A score that is not known counts with its lowest, a renewal that is not known adds
-- nothing. The state moves no place: readers order by it first.
with

health as (

    select * from {{ ref('rpt_account_health') }}

),

sign_offs as (

    select
        account_id,
        is_signed_off
    from {{ ref('int_sign_offs') }}

),

growing as (

    select distinct flags.account_id
    from {{ ref('fct_account_flags') }} as flags
    inner join {{ ref('playbook') }} as playbook
        on flags.flag = playbook.flag
    where
        flags.as_of_date = {{ as_of_end() }}
        and playbook.bucket = 'healthy'

),

spot_checks as (

    select distinct account_id
    from {{ ref('rpt_spot_checks') }}
    where
        as_of_date > {{ add_days(as_of_end(), -7) }}
        and verdict is null

),

open_work as (

    select
        actions.account_id,
        bool_or(actions.needs_approval and verdicts.is_wanted and not verdicts.is_approved) as has_to_approve,
        bool_or(actions.is_overdue and verdicts.is_wanted) as has_overdue
    from {{ ref('rpt_open_actions') }} as actions
    inner join {{ ref('int_action_verdicts') }} as verdicts
        on actions.action_id = verdicts.action_id
    group by actions.account_id

),

described as (

    select
        health.*,
        health.bucket = 'at_risk' as is_at_risk,
        coalesce(open_work.has_to_approve, false) as has_to_approve,
        growing.account_id is not null as is_ready_to_grow,
        spot_checks.account_id is not null as is_spot_check,
        coalesce(open_work.has_overdue, false) as has_overdue,
        health.needs_review
        or health.bucket <> 'healthy'
        or not coalesce(sign_offs.is_signed_off, true) as needs_person,
        acts.account_id is not null as was_worked_on,
        case when changes.changed is null then coalesce(acts.state, 'new') else 'new' end as state,
        changes.changed as reopened_because,
        acts.kind as last_act,
        acts.verdict as last_verdict,
        acts.acted_by,
        acts.acted_at,
        acts.until_date,
        round(
            coalesce(health.arr_usd, {{ setting('work_unknown_arr_usd') }})
            * greatest(100 - health.score_low, {{ setting('work_least_risk_pct') }}) / 100
            * (
                1 + {{ setting('work_renewal_weight_pct') }} / 100
                * coalesce(greatest(1 - health.days_to_renewal / nullif({{ setting('renewal_near_days') }}, 0), 0), 0)
            ),
            2
        ) as priority_usd
    from health
    left join sign_offs
        on health.account_id = sign_offs.account_id
    left join open_work
        on health.account_id = open_work.account_id
    left join growing
        on health.account_id = growing.account_id
    left join spot_checks
        on health.account_id = spot_checks.account_id
    left join {{ ref('int_last_acts') }} as acts
        on health.account_id = acts.account_id
    left join {{ ref('int_changes_since_act') }} as changes
        on health.account_id = changes.account_id

),

final as (

    select
        -- ids
        account_id,
        owner_id,
        as_of_date,

        -- place
        row_number() over (order by has_live_subscription desc, priority_usd desc, account_id asc) as rank_overall,
        row_number() over (
            partition by owner_id
            order by has_live_subscription desc, priority_usd desc, account_id asc
        ) as rank_for_owner,
        priority_usd,
        coalesce('$' || format('{:,}', cast(round(arr_usd) as bigint)), 'Revenue not known')
        || case
            when days_to_renewal is null then ', renewal not known'
            when days_to_renewal = 0 then ' renews today'
            when days_to_renewal = 1 then ' renews in 1 day'
            else ' renews in ' || days_to_renewal || ' days'
        end as place_reason,

        -- tabs
        is_at_risk,
        has_to_approve,
        is_ready_to_grow,
        is_spot_check,
        has_overdue,
        needs_person,

        -- work
        state,
        reopened_because,
        last_act,
        last_verdict,
        acted_by,
        acted_at,
        until_date
    from described
    where needs_person or has_to_approve or is_ready_to_grow or is_spot_check or has_overdue or was_worked_on

)

select * from final
