-- Grain: one row per signal that has a better side and belongs to a family of risk: the value that separates the worst
-- share of the company's own paying account-weeks until train_until, without looking at outcomes. `no_rule_because`
-- says why a signal gives none. A threshold is rounded to the better side, so that the limit itself is in.
with

observations as (

    select
        observations.account_id,
        observations.as_of_date
    from {{ ref('fct_observations') }} as observations
    inner join {{ ref('calibration_period') }} as period
        on observations.as_of_date <= period.train_until
    where observations.left_out_because is null

),

signals as (

    select
        *,
        case
            when unit = 'percent' and can_be_negative then 'slump'
            when family = 'usage' then 'level_of_use'
            when family = 'adoption' then 'key_feature'
            when family = 'sentiment' or unit like 'score%' then 'satisfaction'
            when family = 'billing' then 'payment'
        end as risk_family,
        case when direction = 'higher_is_better' then 1 else -1 end as better_side
    from {{ ref('signals') }}
    where direction is not null

),

known_values as (

    select
        signal_values.account_id,
        signals.signal,
        signals.better_side,
        signal_values.value
    from observations
    inner join {{ ref('fct_signal_values') }} as signal_values
        on
            observations.account_id = signal_values.account_id
            and observations.as_of_date = signal_values.as_of_date
    inner join signals
        on signal_values.signal = signals.signal
    where
        signal_values.is_known
        and signals.risk_family is not null

),

counted as (

    select
        signal,
        count(value) as observations,
        count(distinct account_id) filter (where value is not null) as accounts,
        count(*) > count(value) as has_nulls
    from known_values
    group by signal

),

tied as (

    select
        signal,
        value,
        value * better_side as goodness,
        count(*) as observations
    from known_values
    where value is not null
    group by signal, value, better_side

),

ranked as (

    select
        tied.*,
        cast(tied.observations as double) / counted.observations as ties,
        cast(sum(tied.observations) over (
            partition by tied.signal
            order by tied.goodness
            rows between unbounded preceding and current row
        ) as double) / counted.observations as share
    from tied
    inner join counted
        on tied.signal = counted.signal

),

-- the first value, from the worst on, by which the worst share is reached
placed as (

    select
        signal,
        arg_min(value, goodness) as value,
        arg_min(ties, goodness) as ties,
        arg_min(share, goodness) as share
    from ranked
    where share >= cast({{ var('share_pct') }} as double) / 100
    group by signal

),

final as (

    select
        signals.signal,
        signals.label,
        signals.risk_family,
        case signals.risk_family
            when 'level_of_use' then 1
            when 'key_feature' then 2
            when 'satisfaction' then 3
            when 'payment' then 4
            else 5
        end as family_rank,
        case when signals.better_side > 0 then 'low' else 'high' end as worse_side,
        case when signals.better_side > 0 then '<=' else '>=' end as operator,
        -- of levels alone: a tenth falls fastest on every day, also where nobody falls
        case when signals.risk_family <> 'slump' then case when signals.better_side > 0 then 'lowest' else 'highest' end end
            as rank_operator,
        cast(
            case when signals.better_side > 0 then ceil(placed.value * 100) else floor(placed.value * 100) end / 100
            as decimal(18, 2)
        ) as threshold,
        100 * placed.share as share_pct,
        100 * placed.ties as ties_pct,
        coalesce(counted.observations, 0) as observations,
        coalesce(counted.accounts, 0) as accounts,
        coalesce(counted.has_nulls, false) as has_nulls,
        case
            when coalesce(counted.observations, 0) = 0 then 'unknown'
            when counted.accounts < {{ setting('calibrate_least_accounts') }} then 'too_few_accounts'
            when 100 * placed.ties > {{ setting('calibrate_ties_pct') }} then 'ties'
            when signals.risk_family = 'slump' and placed.value >= 0 then 'no_fall'
        end as no_rule_because
    from signals
    left join counted
        on signals.signal = counted.signal
    left join placed
        on signals.signal = placed.signal
    where signals.risk_family is not null

)

select * from final
