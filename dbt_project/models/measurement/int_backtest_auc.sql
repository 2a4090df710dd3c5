-- Grain: one row per slice and horizon with churned and other observations: how well the order of scores separates
-- them. auc is the probability that a churner's score is lower than another's, ties counted half. Its variance is
-- Obuchowski's for clustered data (1997). Counted by distinct scores, so that the work grows with n log n.
with

scores as (

    select
        slice,
        horizon_days,
        score,
        cast(count(*) filter (where has_churned) as double) as churners,
        cast(count(*) filter (where not has_churned) as double) as others
    from {{ ref('int_backtest_observations') }}
    group by slice, horizon_days, score

),

ranked as (

    select
        *,
        sum(churners) over below - churners / 2 as churners_below,
        sum(others) over everything - sum(others) over below + others / 2 as others_above,
        sum(churners) over everything as all_churners,
        sum(others) over everything as all_others
    from scores
    window
        below as (
            partition by slice, horizon_days
            order by score
            rows between unbounded preceding and current row
        ),
        everything as (
            partition by slice, horizon_days
        )

),

-- of each score: the share of others above it, and the share of churners below it
placed as (

    select
        slice,
        horizon_days,
        score,
        all_churners,
        all_others,
        others_above / all_others as churner_place,
        churners_below / all_churners as other_place
    from ranked
    where
        all_churners > 0
        and all_others > 0

),

accounts as (

    select
        observations.slice,
        observations.horizon_days,
        observations.account_id,
        cast(count(*) filter (where observations.has_churned) as double) as churners,
        cast(count(*) filter (where not observations.has_churned) as double) as others,
        coalesce(sum(placed.churner_place) filter (where observations.has_churned), 0) as churner_places,
        coalesce(sum(placed.other_place) filter (where not observations.has_churned), 0) as other_places,
        max(placed.all_churners) as all_churners,
        max(placed.all_others) as all_others
    from {{ ref('int_backtest_observations') }} as observations
    inner join placed
        on
            observations.slice = placed.slice
            and observations.horizon_days = placed.horizon_days
            and observations.score = placed.score
    group by observations.slice, observations.horizon_days, observations.account_id

),

areas as (

    select
        *,
        sum(churner_places) over (partition by slice, horizon_days) / all_churners as auc
    from accounts

),

summed as (

    select
        slice,
        horizon_days,
        max(auc) as auc,
        max(all_churners) as all_churners,
        max(all_others) as all_others,
        cast(count(*) as double) as accounts,
        cast(count(*) filter (where churners > 0) as double) as churner_accounts,
        cast(count(*) filter (where others > 0) as double) as other_accounts,
        sum(power(churner_places - churners * auc, 2)) as churner_squares,
        sum(power(other_places - others * auc, 2)) as other_squares,
        sum((churner_places - churners * auc) * (other_places - others * auc)) as products
    from areas
    group by slice, horizon_days

),

varied as (

    select
        *,
        case
            when churner_accounts > 1 and other_accounts > 1
                then greatest(
                    0,
                    churner_accounts / (churner_accounts - 1) * churner_squares / (all_churners * all_churners)
                    + other_accounts / (other_accounts - 1) * other_squares / (all_others * all_others)
                    + 2 * accounts / (accounts - 1) * products / (all_churners * all_others)
                )
        end as variance
    from summed

),

final as (

    select
        slice,
        horizon_days,
        auc,
        variance,
        greatest(0, auc - {{ normal_quantile() }} * sqrt(variance)) as auc_low,
        least(1, auc + {{ normal_quantile() }} * sqrt(variance)) as auc_high
    from varied

)

select * from final
