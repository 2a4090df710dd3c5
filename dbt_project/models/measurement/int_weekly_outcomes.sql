-- Grain: one row per metric, horizon, account and date of its observation or renewal (case_date), with its week: what
-- the scores of the week foresaw. n is how often it could happen, hits how often it did; an observation that a metric
-- is not about has n 0. is_open: not known yet, so the week's metric is not known either.
with

observations as (

    select
        *,
        cast(date_trunc('week', as_of_date) as date) as week_start_date
    from {{ ref('fct_observations') }}
    where left_out_because is null

),

known as (

    select max(known_until_date) as known_until_date from {{ ref('int_measured_dates') }}

),

horizons as (

    {%- for days in [30, 90] %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    select
        account_id,
        as_of_date,
        week_start_date,
        bucket,
        {{ days }} as horizon_days,
        not is_censored_{{ days }}d as is_known,
        coalesce(has_churned_{{ days }}d, false) as has_churned,
        coalesce(has_expanded_{{ days }}d, false) as has_expanded
    from observations
    {%- endfor %}

),

followed as (

    select
        horizons.*,
        {{ add_days('horizons.as_of_date', 'horizons.horizon_days + ' ~ setting('churn_grace_days')) }}
        > known.known_until_date as is_open,
        flags.account_id is not null as is_flagged_to_expand
    from horizons
    cross join known
    left join {{ ref('fct_account_flags') }} as flags
        on
            horizons.account_id = flags.account_id
            and horizons.as_of_date = flags.as_of_date
            and flags.flag = '{{ var('expansion_flag') }}'

),

renewals as (

    select
        *,
        cast(date_trunc('week', renewal_date) as date) as week_start_date
    from {{ ref('int_renewal_scores') }}

),

final as (

    {%- for metric, n, hits in [
        ('base_rate', 'true', 'has_churned'),
        ('precision', "bucket = 'at_risk'", 'has_churned'),
        ('false_positive_rate', 'not has_churned', "bucket = 'at_risk'"),
        ('missed_risk', 'has_churned', "bucket = 'healthy'"),
        ('expansion_hits', 'is_flagged_to_expand', 'has_expanded'),
    ] %}
    select
        week_start_date,
        '{{ metric }}' as metric,
        horizon_days,
        account_id,
        as_of_date as case_date,
        cast(is_known and {{ n }} as integer) as n,
        cast(is_known and {{ n }} and {{ hits }} as integer) as hits,
        is_open
    from followed
    union all
    {%- endfor %}
    select
        observations.week_start_date,
        'trend_accuracy' as metric,
        28 as horizon_days,
        observations.account_id,
        observations.as_of_date as case_date,
        cast(observations.score_28d_after is not null as integer) as n,
        cast(
            coalesce(
                (observations.score_28d_after - observations.score_7d_before)
                * (observations.score - observations.score_7d_before) > 0,
                false
            ) as integer
        ) as hits,
        {{ add_days('observations.as_of_date', 28) }} > known.known_until_date as is_open
    from observations
    cross join known
    where abs(observations.score - observations.score_7d_before) >= {{ setting('trend_points') }}
    {%- for metric, n, hits in [
        ('renewal_rate', 'true', "renewal_result <> 'lost'"),
        ('renewal_rate_of_flagged', "bucket = 'at_risk'", "renewal_result <> 'lost'"),
        ('renewals_contracted', "renewal_result <> 'unknown'", "renewal_result = 'contracted'"),
        ('renewals_flat', "renewal_result <> 'unknown'", "renewal_result = 'flat'"),
        ('renewals_expanded', "renewal_result <> 'unknown'", "renewal_result = 'expanded'"),
    ] %}
    union all
    select
        renewals.week_start_date,
        '{{ metric }}' as metric,
        0 as horizon_days,
        renewals.account_id,
        renewals.renewal_date as case_date,
        cast({{ n }} as integer) as n,
        cast({{ n }} and {{ hits }} as integer) as hits,
        {{ add_days('renewals.week_start_date', '6 + ' ~ setting('churn_grace_days')) }}
        > known.known_until_date as is_open
    from renewals
    cross join known
    {%- endfor %}

)

select * from final
