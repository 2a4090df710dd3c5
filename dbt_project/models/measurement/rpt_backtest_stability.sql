-- Grain: one row per quarter: how steady buckets and scores are. psi compares the distribution of scores, in bins of 10
-- points, with that of the quarter before; shifted_bins counts bins whose 90-day churn rate, by its interval, is
-- another than in the quarter before. An empty bin counts as one in 10,000.
with

observations as (

    select
        *,
        cast(date_trunc('quarter', as_of_date) as date) as quarter_start_date,
        least(cast(floor(score / 10) as integer), 9) as score_bin,
        lag(bucket) over (partition by account_id order by as_of_date) as bucket_before,
        lag(as_of_date) over (partition by account_id order by as_of_date) as date_before
    from {{ ref('fct_observations') }}
    where left_out_because is null

),

quarters as (

    select
        quarter_start_date,
        count(*) as observations,
        count(distinct account_id) as accounts,
        count(*) filter (
            where bucket <> bucket_before and date_before >= quarter_start_date
        ) as bucket_changes,
        100 * avg(cast(decision = 'undecided' as integer)) as undecided_pct
    from observations
    group by quarter_start_date

),

with_quarter_before as (

    select
        *,
        lag(quarter_start_date) over (order by quarter_start_date) as quarter_before,
        lag(observations) over (order by quarter_start_date) as observations_before
    from quarters

),

bins as (

    select unnest(generate_series(0, 9)) as score_bin

),

counted as (

    select
        quarter_start_date,
        score_bin,
        count(*) as observations
    from observations
    group by quarter_start_date, score_bin

),

accounts as (

    select
        quarter_start_date,
        score_bin,
        account_id,
        count(*) as n,
        count(*) filter (where has_churned_90d) as hits
    from observations
    where not is_censored_90d
    group by quarter_start_date, score_bin, account_id

),

rates as (

    {{ clustered_rates('accounts', ['quarter_start_date', 'score_bin']) }}

),

compared as (

    select
        quarters.quarter_start_date,
        greatest(coalesce(counted.observations, 0) / cast(quarters.observations as double), 0.0001) as share,
        greatest(coalesce(earlier.observations, 0) / cast(quarters.observations_before as double), 0.0001)
            as share_before,
        rates.ci_low > earlier_rates.ci_high or rates.ci_high < earlier_rates.ci_low as is_shifted
    from with_quarter_before as quarters
    cross join bins
    left join counted
        on
            quarters.quarter_start_date = counted.quarter_start_date
            and bins.score_bin = counted.score_bin
    left join counted as earlier
        on
            quarters.quarter_before = earlier.quarter_start_date
            and bins.score_bin = earlier.score_bin
    left join rates
        on
            quarters.quarter_start_date = rates.quarter_start_date
            and bins.score_bin = rates.score_bin
    left join rates as earlier_rates
        on
            quarters.quarter_before = earlier_rates.quarter_start_date
            and bins.score_bin = earlier_rates.score_bin
    where quarters.quarter_before is not null

),

shifts as (

    select
        quarter_start_date,
        sum((share - share_before) * ln(share / share_before)) as psi,
        count(*) filter (where is_shifted) as shifted_bins
    from compared
    group by quarter_start_date

),

final as (

    select
        quarters.quarter_start_date,
        quarters.observations,
        quarters.accounts,
        quarters.bucket_changes,
        quarters.bucket_changes / cast(quarters.accounts as double) as bucket_changes_per_account,
        quarters.undecided_pct,
        shifts.psi,
        shifts.shifted_bins
    from quarters
    left join shifts
        on quarters.quarter_start_date = shifts.quarter_start_date

)

select * from final
