-- Grain: one row per slice, horizon, account and as_of_date after train_until whose outcome is known, in the form of
-- int_backtest_observations. A slice is what is compared: the recorded scores, a proposal, one rule of it, for which an
-- account is at risk where the rule fires, or what a model could foresee within one horizon, for that horizon alone.
with

observations as (

    select observations.*
    from {{ ref('fct_observations') }} as observations
    inner join {{ ref('calibration_period') }} as period
        on observations.as_of_date > period.train_until
    where observations.left_out_because is null

),

predictions as (

    select
        'champion' as slice,
        account_id,
        as_of_date,
        score,
        bucket
    from observations
    {%- for slice, scores in var('scores').items() %}
    union all
    select
        '{{ slice }}' as slice,
        account_id,
        as_of_date,
        score,
        bucket
    from {{ scores }}
    {%- endfor %}
    {%- if var('results') %}
    union all
    select
        'rule ' || rule_id as slice,
        account_id,
        as_of_date,
        case when result = 'true' then 0 else 100 end as score,
        {{ bucket_name("case when result = 'true' then 1 else 3 end") }} as bucket
    from {{ var('results') }}
    {%- endif %}

),

{%- for days in var('horizons') %}

within_{{ days }}d as (

    select
        predictions.slice,
        {{ days }} as horizon_days,
        observations.account_id,
        observations.as_of_date,
        observations.owner_id,
        predictions.score,
        predictions.bucket,
        observations.arr_usd,
        observations.has_churned_{{ days }}d as has_churned,
        coalesce(observations.has_contracted_{{ days }}d, false) as has_contracted,
        coalesce(observations.has_expanded_{{ days }}d, false) as has_expanded,
        observations.has_churned_{{ days }}d or coalesce(observations.has_contracted_{{ days }}d, false) as is_bad
    from observations
    inner join predictions
        on
            observations.account_id = predictions.account_id
            and observations.as_of_date = predictions.as_of_date
    where
        not observations.is_censored_{{ days }}d
        and (predictions.slice not like 'ceiling %' or predictions.slice = 'ceiling {{ days }}')

),
{%- endfor %}

final as (

    {%- for days in var('horizons') %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    select * from within_{{ days }}d
    {%- endfor %}

)

select * from final
