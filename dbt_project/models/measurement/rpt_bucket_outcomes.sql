-- Grain: one row per bucket of the newest quarter (91 days) of observations that is old enough: one outcome an account,
-- from its first observation in the bucket. An account that moved is in several buckets.
with

dates as (

    {{ outcome_quarter() }}

),

ranked as (

    select
        observations.bucket,
        observations.account_id,
        observations.has_churned_90d,
        row_number() over (
            partition by observations.bucket, observations.account_id
            order by observations.as_of_date
        ) as observation_rank
    from {{ ref('fct_observations') }} as observations
    cross join dates
    where
        observations.left_out_because is null
        and not observations.is_censored_90d
        and observations.as_of_date between dates.first_date and dates.last_date

),

accounts as (

    select
        bucket,
        account_id,
        1 as n,
        cast(has_churned_90d as integer) as hits
    from ranked
    where observation_rank = 1

),

rates as (

    {{ clustered_rates('accounts', ['bucket']) }}

),

final as (

    select
        rates.bucket,
        dates.first_date,
        dates.last_date,
        rates.accounts,
        cast(rates.hits as bigint) as churned,
        rates.rate as churn_rate,
        rates.ci_low,
        rates.ci_high
    from rates
    cross join dates

)

select * from final
