-- Grain: one row per risk factor of the newest as-of date: how people read it, and for how many accounts it is shown.
-- is_scored: a rule of the champion rule set reads it, so it makes the bucket; what is not scored is news.
with

factors as (

    select distinct
        kind,
        factor
    from {{ ref('rpt_risk_factors') }}

),

titles as (

    select * from {{ ref('rpt_rule_titles') }}

),

signals as (

    select * from {{ ref('signals') }}

),

scored_signals as (

    select distinct conditions.signal
    from {{ ref('rule_conditions') }} as conditions
    inner join {{ ref('rule_sets') }} as rule_sets
        on conditions.rule_set = rule_sets.rule_set
    where rule_sets.status = 'champion'

),

final as (

    select
        factors.kind,
        factors.factor,
        coalesce(titles.title, signals.label, factors.factor) as label,
        signals.unit,
        factors.kind = 'rule' or scored_signals.signal is not null as is_scored,
        cast({{ setting('factor_least_accounts') }} as bigint) as least_with_factor,
        cast({{ setting('factor_least_at_risk') }} as bigint) as least_at_risk_with_factor
    from factors
    left join titles
        on
            factors.kind = 'rule'
            and factors.factor = titles.rule_id
    left join signals
        on
            factors.kind <> 'rule'
            and factors.factor = signals.signal
    left join scored_signals
        on
            factors.kind <> 'rule'
            and factors.factor = scored_signals.signal

)

select * from final
