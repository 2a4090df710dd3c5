-- Grain: one row per action and scored date of this build on which nothing stops it but cooldown and budget, while its
-- play is in the playbook.
-- owner_id: whose weekly budget it counts for, the owner of the account on its first scored date of the week (Monday to
-- Sunday); null where the play is not the owner's, or the account has none.
with

week_owners as (

    select
        account_id,
        cast(date_trunc('week', as_of_date) as date) as week_start_date,
        nullif(min_by(coalesce(owner_id, ''), as_of_date), '') as owner_id
    from {{ ref('fct_health_history') }}
    where as_of_date between cast(date_trunc('week', {{ as_of_start() }}) as date) and {{ as_of_end() }}
    group by account_id, cast(date_trunc('week', as_of_date) as date)

),

final as (

    select
        -- ids
        action_days.action_id,
        action_days.account_id,
        action_days.as_of_date,
        cast(date_trunc('week', action_days.as_of_date) as date) as week_start_date,
        action_days.play,
        case when playbook.who = 'owner' then week_owners.owner_id end as owner_id,

        -- what decides between them
        playbook.priority,
        playbook.cooldown_days,
        action_days.arr_usd
    from {{ ref('int_action_days') }} as action_days
    inner join {{ ref('playbook') }} as playbook
        on action_days.play = playbook.play
    left join week_owners
        on
            action_days.account_id = week_owners.account_id
            and cast(date_trunc('week', action_days.as_of_date) as date) = week_owners.week_start_date
    where
        action_days.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and action_days.is_open
        and action_days.suppressed_by is null

)

select * from final
