-- Grain: one row per account and rule in its evidence of the newest as-of date: what an account's page shows of it.
-- score_low and score_high are what the score could come to by this rule alone; a rule that nothing bounds could take
-- it to the end of the scale.
-- A view: its rows are those of fct_health_evidence. The sum of an account's points is a window over it, so that
-- whoever asks for some accounts reads those alone.
with

evidence as (

    select
        *,
        sum(points) over (partition by account_id) as points_of_account
    from {{ ref('fct_health_evidence') }}
    where as_of_date = {{ as_of_end() }}

),

rule_sets as (

    select * from {{ ref('rule_sets') }}

),

signals as (

    select * from {{ ref('signals') }}

),

states as (

    select * from {{ ref('int_signal_states') }}
    where as_of_date = {{ as_of_end() }}

),

-- before it is clamped to 0 to 100
sums as (

    select
        evidence.*,
        rule_sets.base_score + evidence.points_of_account as total
    from evidence
    left join rule_sets
        on evidence.rule_set = rule_sets.rule_set

),

final as (

    select
        -- ids
        sums.account_id,
        sums.as_of_date,
        sums.rule_id,
        sums.rule_number,

        -- what the rule came to
        sums.result,
        cast(sums.points as double) as points,
        cast(
            case when sums.points_low <= -100 then 0 else greatest(0, least(100, sums.total + sums.points_low)) end
            as double
        ) as score_low,
        cast(
            case when sums.points_high >= 100 then 100 else greatest(0, least(100, sums.total + sums.points_high)) end
            as double
        ) as score_high,
        sums.flag,
        sums.evidence,

        -- by what
        sums.signal,
        signals.label,
        signals.unit,
        sums.observed_value,
        sums.threshold,
        sums.conditions,
        sums.is_own_goal,

        -- where the value comes from
        signals.feeds,
        states.observed_at,
        states.unknown_because
    from sums
    left join states
        on sums.signal = states.signal
    left join signals
        on states.signal = signals.signal

)

select * from final
