-- Grain: one row per slice, horizon, scope and number of accounts: what is found by whoever looks each week at that
-- many accounts with the lowest scores, of the whole portfolio or of each owner. Where scores tie at the
-- limit, those that share it count in equal parts. is_budget marks settings.owner_weekly_actions.
with

observations as (

    select * from {{ ref('int_backtest_observations') }}

),

scopes as (

    select
        slice,
        horizon_days,
        'portfolio' as scope,
        as_of_date,
        '' as owner_id,
        score,
        has_churned
    from observations
    union all
    select
        slice,
        horizon_days,
        'owner' as scope,
        as_of_date,
        coalesce(owner_id, '') as owner_id,
        score,
        has_churned
    from observations

),

ties as (

    select
        slice,
        horizon_days,
        scope,
        as_of_date,
        owner_id,
        score,
        cast(count(*) as double) as observations,
        cast(count(*) filter (where has_churned) as double) as churners
    from scopes
    group by slice, horizon_days, scope, as_of_date, owner_id, score

),

ranked as (

    select
        *,
        sum(observations) over (
            partition by slice, horizon_days, scope, as_of_date, owner_id
            order by score
            rows between unbounded preceding and current row
        ) - observations as observations_before
    from ties

),

counted as (

    select
        slice,
        horizon_days,
        scope,
        count(*) as lists
    from (
        select distinct
            slice,
            horizon_days,
            scope,
            as_of_date,
            owner_id
        from ties
    ) as distinct_lists
    group by slice, horizon_days, scope

),

capacities as (

    select
        capacity,
        false as is_budget
    from (select unnest([1, 2, 3, 5, 10, 15, 20, 30, 50]) as capacity) as curve
    where capacity <> {{ setting('owner_weekly_actions') }}
    union all
    select
        cast({{ setting('owner_weekly_actions') }} as integer) as capacity,
        true as is_budget

),

taken as (

    select
        ranked.*,
        counted.lists,
        capacities.capacity,
        capacities.is_budget,
        least(greatest(capacities.capacity - ranked.observations_before, 0) / ranked.observations, 1) as part
    from ranked
    inner join counted
        on
            ranked.slice = counted.slice
            and ranked.horizon_days = counted.horizon_days
            and ranked.scope = counted.scope
    cross join capacities

),

final as (

    select
        slice,
        horizon_days,
        scope,
        capacity,
        bool_or(is_budget) as is_budget,
        max(lists) as lists,
        sum(part * observations) as alerts,
        sum(part * observations) / max(lists) as alerts_per_list,
        sum(part * churners) as churners_found,
        sum(part * churners) / sum(part * observations) as precision,
        sum(part * churners) / nullif(sum(churners), 0) as recall
    from taken
    group by slice, horizon_days, scope, capacity

)

select * from final
