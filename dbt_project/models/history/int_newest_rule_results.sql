-- Grain: one row per account scored on the newest as-of date of this build, scored rule set and rule that applies to
-- the account's segment. Nothing is evaluated again: the champion rule set's rows are its evidence, and a rule without
-- any is off, or false. Shadow rule sets, whose evidence is not recorded, are evaluated here and nowhere else.
with

history as (

    select * from {{ ref('fct_health_history') }}
    where as_of_date = {{ as_of_end() }}

),

evidence as (

    select * from {{ ref('fct_health_evidence') }}
    where as_of_date = {{ as_of_end() }}

),

rule_numbers as (

    select distinct
        rules.rule_id,
        cast(dense_rank() over (order by rules.rule_id) as integer) as rule_number
    from {{ ref('rules') }} as rules
    inner join {{ ref('rule_sets') }} as rule_sets
        on rules.rule_set = rule_sets.rule_set
    where rule_sets.status = 'champion'

),

-- a rule is on where no signal of its conditions is switched off
segment_rules as (

    select
        segment_rules.segment,
        segment_rules.rule_id,
        rule_numbers.rule_number,
        bool_and(signal_states.is_used) as is_on
    from {{ ref('int_segment_rules') }} as segment_rules
    inner join rule_numbers
        on segment_rules.rule_id = rule_numbers.rule_id
    inner join {{ ref('int_signal_states') }} as signal_states
        on segment_rules.signal = signal_states.signal
    where
        signal_states.as_of_date = {{ as_of_end() }}
        and not segment_rules.is_weight
    group by segment_rules.segment, segment_rules.rule_id, rule_numbers.rule_number

),

champion_results as (

    select
        history.account_id,
        history.as_of_date,
        history.rule_set,
        'champion' as rule_set_status,
        history.rule_version,
        segment_rules.rule_id,
        segment_rules.rule_number,
        coalesce(evidence.result, case when segment_rules.is_on then 'false' else 'off' end) as result,
        coalesce(evidence.points, 0) as points,
        coalesce(evidence.points_low, 0) as points_low,
        coalesce(evidence.points_high, 0) as points_high,
        evidence.evidence,
        evidence.title,
        evidence.flag,
        evidence.cap_bucket,
        evidence.needs_review,
        evidence.missing_signals,
        coalesce(evidence.is_unbounded, false) as is_unbounded
    from history
    inner join segment_rules
        on history.segment is not distinct from segment_rules.segment
    left join evidence
        on
            history.account_id = evidence.account_id
            and segment_rules.rule_id = evidence.rule_id

),

final as (

    select * from champion_results
    union all
    select
        account_id,
        as_of_date,
        rule_set,
        rule_set_status,
        rule_version,
        rule_id,
        rule_number,
        result,
        points,
        points_low,
        points_high,
        evidence,
        title,
        flag,
        cap_bucket,
        needs_review,
        missing_signals,
        is_unbounded
    from {{ ref('fct_rule_results') }}
    where
        rule_set_status = 'shadow'
        and as_of_date = {{ as_of_end() }}

)

select * from final
