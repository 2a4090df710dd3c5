-- Grain: one row per scored account and as_of_date, also for accounts without milestones.
{% set measures = ['due_milestones', 'met_milestones', 'overdue_milestones'] %}
{# what enters or leaves a count, on which day -#}
{% set changes = [
    {'from': 'milestones', 'day': 'due_date', 'due_milestones': '1'},
    {'from': 'milestones', 'day': 'met_date', 'where': 'is_met', 'met_milestones': '1'},
    {
        'from': 'milestones', 'day': 'deleted_date', 'where': 'deleted_date is not null',
        'due_milestones': '-1', 'met_milestones': 'case when is_met then -1 else 0 end',
    },
    {'from': 'milestones', 'day': 'overdue_date', 'where': 'is_overdue', 'overdue_milestones': '1'},
    {
        'from': 'milestones', 'day': 'settled_date', 'where': 'is_overdue and settled_date is not null',
        'overdue_milestones': '-1',
    },
] -%}
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(['overdue_milestones', 'milestones_met_pct']) }}

),

-- from when to when a milestone counts as due, met and overdue; a deleted one no more from its deletion on
milestones as (

    select
        account_id,
        due_date,
        deleted_date,
        greatest(due_date, completed_date) as met_date,
        {{ add_days('due_date', 1) }} as overdue_date,
        least(
            case when completed_date is not null then greatest({{ add_days('due_date', 1) }}, completed_date) end,
            deleted_date
        ) as settled_date,
        completed_date is not null and {{ not_deleted_by('greatest(due_date, completed_date)') }} as is_met,
        coalesce(completed_date > due_date, true) and {{ not_deleted_by(add_days('due_date', 1)) }} as is_overdue
    from (
        select
            *,
            cast(completed_at as date) as completed_date
        from {{ ref('stg_crm__milestones') }}
    ) as milestones_with_dates
    where {{ not_deleted_by('due_date') }}

),

changes as (

    {{ changes_of(changes, measures) }}

),

due as (

    {{ intervals_of_changes('changes', sums=measures) }}

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
        on {{ in_interval('due') }}

)

select * from final
