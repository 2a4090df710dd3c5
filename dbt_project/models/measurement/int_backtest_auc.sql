-- Grain: one row per slice and horizon with churned and other observations: how well the order of scores separates
-- them. auc is the probability that a churner's score is lower than another's, ties counted half. Its variance is
-- Obuchowski's for clustered data (1997).
with

observations as (

    select * from {{ ref('int_backtest_observations') }}

),

places as (

    {{ auc_places('observations', ['slice', 'horizon_days']) }}

),

areas as (

    {{ clustered_auc('places', ['slice', 'horizon_days']) }}

),

final as (

    select
        slice,
        horizon_days,
        auc,
        variance,
        -- greatest and least leave nulls out
        case when variance is not null then greatest(0, auc_low) end as auc_low,
        case when variance is not null then least(1, auc_high) end as auc_high
    from areas

)

select * from final
