-- Grain: one row per scored account and as_of_date, also for accounts without milestones.
with

accounts as (

    {{ scored_accounts() }}

),

known as (

    {{ known_signals(['overdue_milestones', 'milestones_met_pct']) }}

),

dates as (

    select * from {{ ref('int_as_of_dates') }}

),

milestones as (

    select
        account_id,
        due_date,
        cast(completed_at as date) as completed_date
    from {{ ref('stg_crm__milestones') }}

),

due as (

    select
        milestones.account_id,
        dates.as_of_date,
        count(*) as due_milestones,
        count(*) filter (where milestones.completed_date <= dates.as_of_date) as met_milestones,
        count(*) filter (
            where
            milestones.due_date < dates.as_of_date
            and (milestones.completed_date is null or milestones.completed_date > dates.as_of_date)
        ) as overdue_milestones
    from dates
    inner join milestones
        on dates.as_of_date >= milestones.due_date
    group by milestones.account_id, dates.as_of_date

),

final as (

    select
        -- ids
        accounts.account_id,
        accounts.as_of_date,

        -- signals
        {{ if_known('overdue_milestones', 'coalesce(due.overdue_milestones, 0)') }},
        {{ if_known('milestones_met_pct', 'cast(100 * due.met_milestones as double) / due.due_milestones') }}
    from accounts
    inner join known
        on accounts.as_of_date = known.as_of_date
    left join due
        on
            accounts.account_id = due.account_id
            and accounts.as_of_date = due.as_of_date

)

select * from final
