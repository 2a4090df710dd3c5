-- Grain: one row per level of flag, and whether accounts were flagged: the newest quarter (91 days) of observations
-- that is old enough, one outcome an account: from the first observation on which it was flagged, else from
-- its first one. too_young counts accounts that were flagged only since.
with

dates as (

    {{ outcome_quarter() }}

),

levels as (

    select
        'at_risk' as flag_level,
        account_id,
        as_of_date,
        bucket = 'at_risk' as is_flagged,
        is_censored_90d,
        has_churned_90d
    from {{ ref('fct_observations') }}
    where left_out_because is null
    union all
    select
        'not_healthy' as flag_level,
        account_id,
        as_of_date,
        bucket <> 'healthy' as is_flagged,
        is_censored_90d,
        has_churned_90d
    from {{ ref('fct_observations') }}
    where left_out_because is null

),

ranked as (

    select
        levels.*,
        row_number() over (
            partition by levels.flag_level, levels.account_id
            order by levels.is_flagged desc, levels.as_of_date asc
        ) as observation_rank
    from levels
    cross join dates
    where
        levels.as_of_date between dates.first_date and dates.last_date
        and not levels.is_censored_90d

),

accounts as (

    select
        flag_level,
        is_flagged,
        account_id,
        1 as n,
        cast(has_churned_90d as integer) as hits
    from ranked
    where observation_rank = 1

),

rates as (

    {{ clustered_rates('accounts', ['flag_level', 'is_flagged']) }}

),

flagged_since as (

    select
        levels.flag_level,
        count(distinct levels.account_id) as too_young
    from levels
    cross join dates
    left join accounts
        on
            levels.flag_level = accounts.flag_level
            and levels.account_id = accounts.account_id
            and accounts.is_flagged
    where
        levels.is_flagged
        and levels.as_of_date > dates.last_date
        and accounts.account_id is null
    group by levels.flag_level

),

final as (

    select
        rates.flag_level,
        rates.is_flagged,
        dates.first_date,
        dates.last_date,
        rates.accounts,
        cast(rates.hits as bigint) as churned,
        rates.rate as churn_rate,
        rates.ci_low,
        rates.ci_high,
        case when rates.is_flagged then coalesce(flagged_since.too_young, 0) end as too_young
    from rates
    cross join dates
    left join flagged_since
        on rates.flag_level = flagged_since.flag_level

)

select * from final
