-- Grain: one row per scored account and date of the weekly grid: what was scored, and what came of it within each
-- horizon. What happens on the date itself is no outcome. Outcomes are null where the row is left out
-- (left_out_because), or censored at that horizon: too young to judge, or deleted in the CRM before it could churn.
with

dates as (

    select * from {{ ref('int_measured_dates') }}

),

scores as (

    select * from {{ ref('int_measured_scores') }}

),

states as (

    select * from {{ ref('fct_billing_intervals') }}

),

-- from which date on a churn or a deletion is the next one
next_outcomes as (

    select
        account_id,
        outcome,
        outcome_date,
        lag(outcome_date, 1, date '0001-01-01') over (
            partition by account_id, outcome
            order by outcome_date
        ) as next_from_date
    from {{ ref('fct_outcomes') }}
    where outcome in ('churn', 'deletion')

),

first_paid as (

    select
        account_id,
        min(valid_from_date) as first_paid_date
    from states
    where is_paying
    group by account_id

),

on_grid as (

    select
        scores.*,
        dates.known_until_date,
        case
            when not coalesce(states.is_paying, false) then 'not_paying'
            when states.is_noticed then 'noticed'
        end as left_out_because,
        states.live_plan_id as plan_id,
        states.mrr_usd
    from scores
    inner join dates
        on
            scores.as_of_date = dates.as_of_date
            and dates.is_on_grid
    left join states
        on
            scores.account_id = states.account_id
            and scores.as_of_date between states.valid_from_date and states.valid_to_date

),

followed as (

    select
        on_grid.*,
        week_before.score as score_7d_before,
        weeks_after.score as score_28d_after,
        {{ dbt.datediff('first_paid.first_paid_date', 'on_grid.as_of_date', 'day') }} as paying_days,
        {%- for days in var('horizons') %}
        coalesce(churns.outcome_date <= {{ add_days('on_grid.as_of_date', days) }}, false) as has_churned_{{ days }}d,
        {{ add_days('on_grid.as_of_date', days ~ ' + ' ~ setting('churn_grace_days')) }} > on_grid.known_until_date
        or (
            coalesce(deletions.outcome_date <= {{ add_days('on_grid.as_of_date', days) }}, false)
            and not coalesce(churns.outcome_date < deletions.outcome_date, false)
        ) as is_censored_{{ days }}d,
        not coalesce(after_{{ days }}d.is_churned, false) as is_customer_after_{{ days }}d,
        case
            when after_{{ days }}d.account_id is null then 0
            else after_{{ days }}d.mrr_usd
        end as mrr_after_{{ days }}d,
        {%- endfor %}
        churns.outcome_date as next_churn_date
    from on_grid
    left join first_paid
        on on_grid.account_id = first_paid.account_id
    left join scores as week_before
        on
            on_grid.account_id = week_before.account_id
            and {{ add_days('on_grid.as_of_date', -7) }} = week_before.as_of_date
    left join scores as weeks_after
        on
            on_grid.account_id = weeks_after.account_id
            and {{ add_days('on_grid.as_of_date', 28) }} = weeks_after.as_of_date
    left join next_outcomes as churns
        on
            on_grid.account_id = churns.account_id
            and churns.outcome = 'churn'
            and on_grid.as_of_date >= churns.next_from_date
            and on_grid.as_of_date < churns.outcome_date
    left join next_outcomes as deletions
        on
            on_grid.account_id = deletions.account_id
            and deletions.outcome = 'deletion'
            and on_grid.as_of_date >= deletions.next_from_date
            and on_grid.as_of_date < deletions.outcome_date
    {%- for days in var('horizons') %}
    left join states as after_{{ days }}d
        on
            on_grid.account_id = after_{{ days }}d.account_id
            and {{ add_days('on_grid.as_of_date', days) }}
            between after_{{ days }}d.valid_from_date and after_{{ days }}d.valid_to_date
    {%- endfor %}

),

final as (

    select
        -- ids
        account_id,
        as_of_date,
        owner_id,

        -- what was scored
        rule_set,
        score,
        bucket,
        decision,
        score_7d_before,
        score_28d_after,

        -- the account then
        left_out_because,
        segment,
        plan_id,
        paying_days,
        arr_usd,
        mrr_usd,
        {%- for days in var('horizons') %}

        -- within {{ days }} days
        is_censored_{{ days }}d,
        case
            when left_out_because is null and not is_censored_{{ days }}d then has_churned_{{ days }}d
        end as has_churned_{{ days }}d,
        case
            when left_out_because is null and not is_censored_{{ days }}d
                then is_customer_after_{{ days }}d and {{ has_contracted('mrr_usd', 'mrr_after_' ~ days ~ 'd') }}
        end as has_contracted_{{ days }}d,
        case
            when left_out_because is null and not is_censored_{{ days }}d
                then is_customer_after_{{ days }}d and {{ has_expanded('mrr_usd', 'mrr_after_' ~ days ~ 'd') }}
        end as has_expanded_{{ days }}d,
        {%- endfor %}

        -- whenever
        next_churn_date
    from followed

)

select * from final
