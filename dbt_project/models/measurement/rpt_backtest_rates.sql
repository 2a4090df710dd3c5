-- Grain: one row per slice, horizon, measure and group of observations: a rate, its 95 % interval clustered by account,
-- and what it rests on. Lift compares a group's churn rate with that of all.
with

accounts as (

    select * from {{ ref('int_backtest_accounts') }}

),

everything as (

    select * from accounts
    where group_name = 'all'

),

next_to_all as (

    select
        accounts.*,
        everything.observations as all_observations,
        everything.churned as all_churned
    from accounts
    inner join everything
        on
            accounts.slice = everything.slice
            and accounts.horizon_days = everything.horizon_days
            and accounts.account_id = everything.account_id

),

counted as (

    {%- for measure, n, hits in [
        ('share', 'all_observations', 'observations'),
        ('churn_rate', 'observations', 'churned'),
        ('contraction_rate', 'observations', 'contracted'),
        ('expansion_rate', 'observations', 'expanded'),
        ('bad_rate', 'observations', 'bad'),
        ('recall', 'all_churned', 'churned'),
        ('false_positive_rate', 'all_observations - all_churned', 'observations - churned'),
        ('arr_churn_rate', 'arr_usd', 'churned_arr_usd'),
    ] %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    select
        slice,
        horizon_days,
        '{{ measure }}' as measure,
        group_name,
        account_id,
        cast({{ n }} as double) as n,
        cast({{ hits }} as double) as hits
    from next_to_all
    {%- endfor %}

),

rates as (

    {{ clustered_rates('counted', ['slice', 'horizon_days', 'measure', 'group_name']) }}

),

-- the same linearisation on the log scale: how far each account moves log(rate of the group / rate of all)
totals as (

    select
        slice,
        horizon_days,
        group_name,
        cast(sum(observations) as double) as observations,
        cast(sum(churned) as double) as churned,
        cast(sum(all_observations) as double) as all_observations,
        cast(sum(all_churned) as double) as all_churned,
        count(*) as accounts
    from next_to_all
    group by slice, horizon_days, group_name

),

lifts as (

    select
        totals.slice,
        totals.horizon_days,
        totals.group_name,
        max(totals.churned / totals.observations * totals.all_observations / totals.all_churned) as lift,
        max(totals.accounts / (totals.accounts - 1.0)) * sum(
            power(
                next_to_all.churned / totals.churned - next_to_all.observations / totals.observations
                - next_to_all.all_churned / totals.all_churned
                + next_to_all.all_observations / totals.all_observations,
                2
            )
        ) as log_variance
    from totals
    inner join next_to_all
        on
            totals.slice = next_to_all.slice
            and totals.horizon_days = next_to_all.horizon_days
            and totals.group_name = next_to_all.group_name
    where
        totals.observations > 0
        and totals.all_churned > 0
    group by totals.slice, totals.horizon_days, totals.group_name

),

final as (

    select
        rates.slice,
        rates.horizon_days,
        rates.measure,
        rates.group_name,
        rates.accounts,
        rates.n,
        rates.hits,
        rates.rate,
        rates.ci_low,
        rates.ci_high,
        lifts.lift,
        case when lifts.lift > 0 then lifts.lift / exp({{ normal_quantile() }} * sqrt(lifts.log_variance)) end
            as lift_low,
        case when lifts.lift > 0 then lifts.lift * exp({{ normal_quantile() }} * sqrt(lifts.log_variance)) end
            as lift_high
    from rates
    left join lifts
        on
            rates.slice = lifts.slice
            and rates.horizon_days = lifts.horizon_days
            and rates.group_name = lifts.group_name
            and rates.measure = 'churn_rate'

)

select * from final
