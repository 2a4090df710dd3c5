-- Grain: one row per horizon with churned and other observations after train_until: the auc of the scores with fitted
-- points less that with the points of the standard, paired by account: both judged the same observations. Fitted points
-- are used where `points_because` is gain: where the interval is above 0.
with

observations as (

    select * from {{ ref('int_backtest_observations') }}

),

standard as (

    select * from observations
    where slice = '{{ var('standard') }}'

),

fitted as (

    select * from observations
    where slice = '{{ var('fitted') }}'

),

standard_places as (

    {{ auc_places('standard', ['horizon_days']) }}

),

fitted_places as (

    {{ auc_places('fitted', ['horizon_days']) }}

),

differences as (

    select
        fitted_places.horizon_days,
        fitted_places.account_id,
        fitted_places.positives,
        fitted_places.others,
        fitted_places.positive_places - standard_places.positive_places as positive_places,
        fitted_places.other_places - standard_places.other_places as other_places,
        fitted_places.all_positives,
        fitted_places.all_others
    from fitted_places
    inner join standard_places
        on
            fitted_places.horizon_days = standard_places.horizon_days
            and fitted_places.account_id = standard_places.account_id

),

compared as (

    {{ clustered_auc('differences', ['horizon_days']) }}

),

final as (

    select
        horizon_days,
        positive_accounts as churned_accounts,
        auc as gain,
        auc_low as gain_low,
        auc_high as gain_high,
        case
            when positive_accounts < {{ setting('least_churned_accounts') }} then 'too_few_later'
            when auc_low > 0 then 'gain'
            else 'no_gain'
        end as points_because
    from compared

)

select * from final
