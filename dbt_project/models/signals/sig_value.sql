-- Grain: one row per scored account and as_of_date, also for accounts without milestones.
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(['overdue_milestones', 'milestones_met_pct']) }}

),

milestones as (

    select
        account_id,
        due_date,
        cast(completed_at as date) as completed_date
    from {{ ref('stg_crm__milestones') }}

),

changes as (

    select
        account_id,
        due_date as day,
        1 as due_milestones,
        0 as met_milestones,
        0 as overdue_milestones
    from milestones
    union all
    select
        account_id,
        greatest(due_date, completed_date) as day,
        0 as due_milestones,
        1 as met_milestones,
        0 as overdue_milestones
    from milestones
    where completed_date is not null
    union all
    select
        account_id,
        {{ add_days('due_date', 1) }} as day,
        0 as due_milestones,
        0 as met_milestones,
        1 as overdue_milestones
    from milestones
    where coalesce(completed_date > due_date, true)
    union all
    select
        account_id,
        greatest({{ add_days('due_date', 1) }}, completed_date) as day,
        0 as due_milestones,
        0 as met_milestones,
        -1 as overdue_milestones
    from milestones
    where completed_date > due_date

),

due as (

    {{ spans_of_changes('changes', sums=['due_milestones', 'met_milestones', 'overdue_milestones']) }}

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('overdue_milestones', 'cast(coalesce(due.overdue_milestones, 0) as bigint)') }},
        {{ if_known('milestones_met_pct', 'cast(100 * due.met_milestones as double) / nullif(due.due_milestones, 0)') }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    left join due
        on {{ in_span('due') }}

)

select * from final
