-- Grain: one row per slice and horizon: how many observations there are, how many of them churned, and how well the
-- order of scores separates the two. Under settings.least_churned_accounts churned accounts there is no auc.
with

counted as (

    select
        {{ var('slice') }} as slice,
        horizons.horizon_days,
        count(*) as observations,
        count(*) filter (where horizons.is_censored) as censored
    from (
        {%- for days in var('horizons') %}
        {%- if not loop.first %}
        union all
        {%- endif %}
        select
            *,
            {{ days }} as horizon_days,
            is_censored_{{ days }}d as is_censored
        from {{ ref('fct_observations') }}
        where left_out_because is null
        {%- endfor %}
    ) as horizons
    group by {{ var('slice') }}, horizons.horizon_days

),

accounts as (

    select
        slice,
        horizon_days,
        count(*) as accounts,
        sum(churned) as positives,
        count(*) filter (where churned > 0) as churned_accounts
    from {{ ref('int_backtest_accounts') }}
    where group_name = 'all'
    group by slice, horizon_days

),

final as (

    select
        counted.slice,
        counted.horizon_days,
        counted.observations - counted.censored as observations,
        counted.censored,
        coalesce(accounts.accounts, 0) as accounts,
        cast(coalesce(accounts.positives, 0) as bigint) as positives,
        coalesce(accounts.churned_accounts, 0) as churned_accounts,
        coalesce(accounts.churned_accounts, 0) >= {{ setting('least_churned_accounts') }} as has_enough_churn,
        case when accounts.churned_accounts >= {{ setting('least_churned_accounts') }} then auc.auc end as auc,
        case when accounts.churned_accounts >= {{ setting('least_churned_accounts') }} then auc.auc_low end as auc_low,
        case when accounts.churned_accounts >= {{ setting('least_churned_accounts') }} then auc.auc_high end as auc_high
    from counted
    left join accounts
        on
            counted.slice = accounts.slice
            and counted.horizon_days = accounts.horizon_days
    left join {{ ref('int_backtest_auc') }} as auc
        on
            counted.slice = auc.slice
            and counted.horizon_days = auc.horizon_days

)

select * from final
