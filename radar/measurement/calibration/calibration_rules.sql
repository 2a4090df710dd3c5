-- Grain: one row per signal that a rule is proposed for, in the order of choice. Families take turns: level of use,
-- key features, satisfaction, payment, then slumps; in a family first whichever tells accounts apart most finely.
with

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
        position,
        signal,
        label,
        risk_family,
        worse_side,
        operator,
        threshold,
        points,
        has_nulls
    from ordered
    where position <= {{ var('max_rules') }}

)

select * from final
