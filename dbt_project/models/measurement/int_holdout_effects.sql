-- Grain: one row per play and measure (churn, mrr, usage) of accounts that are old enough: means of those that were to
-- get the play and of the holdout, and their difference with its 95 % interval, null where one side has no value.
with

measured as (

    select
        play,
        is_holdout,
        'churn' as measure,
        cast(has_churned as double) as outcome
    from {{ ref('int_holdout_outcomes') }}
    union all
    select
        play,
        is_holdout,
        'mrr' as measure,
        mrr_change_usd as outcome
    from {{ ref('int_holdout_outcomes') }}
    union all
    select
        play,
        is_holdout,
        'usage' as measure,
        cast(active_days_change as double) as outcome
    from {{ ref('int_holdout_outcomes') }}

),

arms as (

    select
        play,
        measure,
        count(*) as accounts_old_enough,
        cast(count(outcome) filter (where not is_holdout) as double) as treated,
        cast(count(outcome) filter (where is_holdout) as double) as holdout,
        avg(outcome) filter (where not is_holdout) as treated_mean,
        avg(outcome) filter (where is_holdout) as holdout_mean,
        avg(outcome) filter (where measure = 'churn' and not is_holdout) as treated_rate,
        avg(outcome) filter (where measure = 'churn' and is_holdout) as holdout_rate,
        coalesce(var_samp(outcome) filter (where not is_holdout), 0) as treated_variance,
        coalesce(var_samp(outcome) filter (where is_holdout), 0) as holdout_variance
    from measured
    group by play, measure

),

-- Wilson's interval of a rate is its middle, and as much to both sides
middles as (

    select
        *,
        power({{ normal_quantile() }}, 2) as square,
        (treated_rate + square / (2 * treated)) / (1 + square / treated) as treated_middle,
        sqrt(square * (treated_rate * (1 - treated_rate) / treated + square / (4 * treated * treated)))
        / (1 + square / treated) as treated_half,
        (holdout_rate + square / (2 * holdout)) / (1 + square / holdout) as holdout_middle,
        sqrt(square * (holdout_rate * (1 - holdout_rate) / holdout + square / (4 * holdout * holdout)))
        / (1 + square / holdout) as holdout_half
    from arms

),

-- of rates by Newcombe, of means by their variances
bounds as (

    select
        *,
        case
            when measure = 'churn'
                then sqrt(
                    power(treated_rate - treated_middle + treated_half, 2)
                    + power(holdout_middle + holdout_half - holdout_rate, 2)
                )
            else sqrt(square * (treated_variance / nullif(treated, 0) + holdout_variance / nullif(holdout, 0)))
        end as below,
        case
            when measure = 'churn'
                then sqrt(
                    power(treated_middle + treated_half - treated_rate, 2)
                    + power(holdout_rate - holdout_middle + holdout_half, 2)
                )
            else sqrt(square * (treated_variance / nullif(treated, 0) + holdout_variance / nullif(holdout, 0)))
        end as above
    from middles

),

final as (

    select
        play,
        measure,
        accounts_old_enough,
        cast(treated as bigint) as accounts_treated,
        cast(holdout as bigint) as accounts_holdout,
        treated_mean,
        holdout_mean,
        treated_mean - holdout_mean as effect,
        treated_mean - holdout_mean - below as effect_low,
        treated_mean - holdout_mean + above as effect_high
    from bounds

)

select * from final
