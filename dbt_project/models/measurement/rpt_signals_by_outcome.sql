-- Grain: one row per outcome (churn or expansion within 90 days), segment, signal and group of observations: `all`,
-- those with and without the outcome, and fifths in the order of the value, the lowest first. Equal values are together
-- in the last fifth that they reach, so some fifths may be missing. What accounts with an outcome have in common is no
-- cause of it. A view: nothing is computed until somebody reads it.
with

observations as (

    select * from {{ ref('int_signal_observations') }}

),

known_values as (

    select
        outcome,
        segment,
        signal,
        account_id,
        value as score,
        has_outcome,
        fifth
    from observations
    where value is not null

),

groups as (

    select
        *,
        'all' as group_name
    from known_values
    union all
    select
        *,
        case when has_outcome then 'with_outcome' else 'without_outcome' end as group_name
    from known_values
    union all
    select
        *,
        'fifth_' || fifth as group_name
    from known_values

),

distributions as (

    select
        outcome,
        segment,
        signal,
        group_name,
        count(*) as observations,
        count(distinct account_id) as accounts,
        count(*) filter (where has_outcome) as with_outcome,
        count(distinct account_id) filter (where has_outcome) as accounts_with_outcome,
        min(score) as value_min,
        quantile_cont(score, 0.25) as value_p25,
        quantile_cont(score, 0.5) as value_median,
        quantile_cont(score, 0.75) as value_p75,
        max(score) as value_max
    from groups
    group by outcome, segment, signal, group_name

),

without_value as (

    select
        outcome,
        segment,
        signal,
        count(*) as observations
    from observations
    where value is null
    group by outcome, segment, signal

),

rates as (

    select * from {{ ref('int_signal_rates') }}

),

places as (

    {{ auc_places('known_values', ['outcome', 'segment', 'signal'], positive='has_outcome') }}

),

areas as (

    {{ clustered_auc('places', ['outcome', 'segment', 'signal']) }}

),

final as (

    select
        -- ids
        distributions.outcome,
        distributions.segment,
        distributions.signal,
        distributions.group_name,

        -- what it rests on
        distributions.observations,
        distributions.accounts,
        distributions.with_outcome,
        distributions.accounts_with_outcome,
        case when distributions.group_name = 'all' then coalesce(without_value.observations, 0) end as without_value,

        -- the distribution
        distributions.value_min,
        distributions.value_p25,
        distributions.value_median,
        distributions.value_p75,
        distributions.value_max,

        -- how often the outcome came
        rates.rate,
        rates.ci_low,
        rates.ci_high,
        rates.lift,
        rates.lift_low,
        rates.lift_high,

        -- how well the value alone separates
        round(areas.auc, 9) as auc,
        -- greatest and least leave nulls out
        case when areas.variance is not null then round(greatest(0, areas.auc_low), 9) end as auc_low,
        case when areas.variance is not null then round(least(1, areas.auc_high), 9) end as auc_high
    from distributions
    left join without_value
        on
            distributions.outcome = without_value.outcome
            and distributions.segment = without_value.segment
            and distributions.signal = without_value.signal
    left join rates
        on
            distributions.outcome = rates.outcome
            and distributions.segment = rates.segment
            and distributions.signal = rates.signal
            and distributions.group_name = rates.group_name
    left join areas
        on
            distributions.outcome = areas.outcome
            and distributions.segment = areas.segment
            and distributions.signal = areas.signal
            and distributions.group_name = 'all'
            and areas.positive_accounts >= {{ setting('least_churned_accounts') }}

)

select * from final
