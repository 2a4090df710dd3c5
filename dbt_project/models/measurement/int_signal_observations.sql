-- Grain: one row per outcome (churn, expansion), segment (`all`, or one), signal and observation whose outcome within
-- 90 days is known: what the signal was, and whether the outcome came. value is null where the signal was unknown, or
-- null by its definition; fifth is its place in the order of values, ties together in the last fifth that they reach.
with

observations as (

    select
        observations.account_id,
        observations.as_of_date,
        observations.has_churned_90d,
        observations.has_expanded_90d,
        segments.segment
    from {{ ref('fct_observations') }} as observations
    cross join unnest(['all', coalesce(observations.segment, 'none')]) as segments (segment)
    where
        observations.left_out_because is null
        and not observations.is_censored_90d

),

outcomes as (

    select
        'churn' as outcome,
        segment,
        account_id,
        as_of_date,
        has_churned_90d as has_outcome
    from observations
    union all
    select
        'expansion' as outcome,
        segment,
        account_id,
        as_of_date,
        coalesce(has_expanded_90d, false) as has_outcome
    from observations

),

measured as (

    select
        outcomes.outcome,
        outcomes.segment,
        signals.signal,
        outcomes.account_id,
        outcomes.as_of_date,
        case when signals.is_known then signals.value end as value,
        outcomes.has_outcome
    from outcomes
    inner join {{ ref('fct_signal_values') }} as signals
        on
            outcomes.account_id = signals.account_id
            and outcomes.as_of_date = signals.as_of_date

),

final as (

    select
        *,
        case
            when value is not null
                then cast(ceil(round(5 * cume_dist() over (
                    partition by outcome, segment, signal, value is null
                    order by value
                ), 9)) as integer)
        end as fifth
    from measured

)

select * from final
