-- Grain: one row per slice and horizon: how well it foresees churn on dates that placed no limit. recall_top_tenth is
-- the share of churning observations among the tenth of the observations of each date with the lowest scores; where
-- scores tie at the limit, those that share it count in equal parts. Without enough churned accounts there is no auc.
with

observations as (

    select * from {{ ref('int_backtest_observations') }}

),

tied as (

    select
        slice,
        horizon_days,
        as_of_date,
        score,
        cast(count(*) as double) as observations,
        cast(count(*) filter (where has_churned) as double) as churners
    from observations
    group by slice, horizon_days, as_of_date, score

),

ranked as (

    select
        *,
        sum(observations) over below - observations as observations_before,
        sum(observations) over everything / 10 as list_length
    from tied
    window
        below as (
            partition by slice, horizon_days, as_of_date
            order by score
            rows between unbounded preceding and current row
        ),
        everything as (
            partition by slice, horizon_days, as_of_date
        )

),

recalls as (

    select
        slice,
        horizon_days,
        sum(churners * least(greatest(list_length - observations_before, 0) / observations, 1))
        / nullif(sum(churners), 0) as recall_top_tenth
    from ranked
    group by slice, horizon_days

),

counted as (

    select
        slice,
        horizon_days,
        count(*) as observations,
        count(distinct account_id) as accounts,
        count(*) filter (where has_churned) as positives,
        count(distinct account_id) filter (where has_churned) as churned_accounts,
        count(distinct account_id) filter (where has_churned) >= {{ setting('least_churned_accounts') }}
            as has_enough_churn
    from observations
    group by slice, horizon_days

),

final as (

    select
        counted.*,
        case when counted.has_enough_churn then auc.auc end as auc,
        case when counted.has_enough_churn then auc.auc_low end as auc_low,
        case when counted.has_enough_churn then auc.auc_high end as auc_high,
        recalls.recall_top_tenth
    from counted
    inner join recalls
        on
            counted.slice = recalls.slice
            and counted.horizon_days = recalls.horizon_days
    left join {{ ref('int_backtest_auc') }} as auc
        on
            counted.slice = auc.slice
            and counted.horizon_days = auc.horizon_days

)

select * from final
