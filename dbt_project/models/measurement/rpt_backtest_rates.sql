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

churn_of_groups as (

    select
        slice,
        horizon_days,
        group_name,
        account_id,
        observations as n,
        churned as hits,
        all_observations as all_n,
        all_churned as all_hits
    from next_to_all

),

lifts as (

    {{ clustered_lifts('churn_of_groups', ['slice', 'horizon_days', 'group_name']) }}

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
        lifts.lift_low,
        lifts.lift_high
    from rates
    left join lifts
        on
            rates.slice = lifts.slice
            and rates.horizon_days = lifts.horizon_days
            and rates.group_name = lifts.group_name
            and rates.measure = 'churn_rate'

)

select * from final
