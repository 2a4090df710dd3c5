-- Grain: one row per signal that a rule is proposed for, in the order of choice. Families take turns: level of use,
-- key features, satisfaction, payment, then slumps; in a family first whichever tells accounts apart most finely.
-- A level is a rank among the customers of the day where every date until train_until has a limit of that rank.
with

{% if var('rank_limits') -%}
ranks as (

    {%- for signal, rank_limit in var('rank_limits').items() %}
    {{ 'union all' if not loop.first }}
    select
        '{{ signal }}' as signal,
        arg_max(limits.limit_value, limits.as_of_date) as newest_limit,
        max(limits.as_of_date) filter (where limits.limit_value is not null) as newest_date
    from {{ ref('int_rank_limits') }} as limits
    cross join {{ ref('calibration_period') }} as period
    where limits.rank_limit = '{{ rank_limit }}'
    having bool_and(limits.limit_value is not null) filter (where limits.as_of_date <= period.train_until)
    {%- endfor %}

),
{%- else -%}
ranks as (

    select
        null::varchar as signal,
        null::double as newest_limit,
        null::date as newest_date
    where false

),
{%- endif %}

usable as (

    select
        *,
        row_number() over (
            partition by risk_family
            order by ties_pct, signal
        ) as rank_in_family
    from {{ ref('calibration_limits') }}
    where no_rule_because is null

),

ordered as (

    select
        *,
        row_number() over (order by rank_in_family, family_rank, signal) as position,
        -case
            when risk_family = 'slump' then {{ setting('calibrate_slump_points') }}
            else {{ setting('calibrate_strong_points') }}
        end as points
    from usable
    where rank_in_family <= {{ setting('calibrate_family_rules') }}

),

final as (

    select
        ordered.position,
        ordered.signal,
        ordered.label,
        ordered.risk_family,
        ordered.worse_side,
        ranks.signal is not null as is_rank,
        case when ranks.signal is null then ordered.operator else ordered.rank_operator end as operator,
        case when ranks.signal is null then ordered.threshold else {{ var('share_pct') }} end as threshold,
        case when ranks.signal is null then ordered.threshold else ranks.newest_limit end as limit_value,
        ranks.newest_date as limit_date,
        ordered.points,
        ordered.has_nulls
    from ordered
    left join ranks
        on ordered.signal = ranks.signal
    where ordered.position <= {{ var('max_rules') }}

)

select * from final
