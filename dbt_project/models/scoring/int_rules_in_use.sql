-- Grain: one row per as_of_date, rule set and segment that a rule names (null: every other segment): how many of the
-- rules that apply there are on. What coverage is a share of.
with

rule_rows as (

    select
        conditions.rule_set,
        conditions.rule_id,
        conditions.segment,
        signal_states.as_of_date,
        bool_and(signal_states.is_used) as is_on
    from {{ ref('rule_conditions') }} as conditions
    inner join {{ ref('int_signal_states') }} as signal_states
        on conditions.signal = signal_states.signal
    group by conditions.rule_set, conditions.rule_id, conditions.segment, signal_states.as_of_date

),

segments as (

    select distinct segment from {{ ref('rule_conditions') }}
    union
    select null as segment

),

-- a segment's own row of a rule applies there, in place of the general one
applying as (

    select
        rule_rows.as_of_date,
        rule_rows.rule_set,
        rule_rows.rule_id,
        segments.segment,
        coalesce(
            bool_or(rule_rows.is_on) filter (where rule_rows.segment is not null),
            bool_or(rule_rows.is_on)
        ) as is_on
    from segments
    inner join rule_rows
        on
            rule_rows.segment is null
            or segments.segment = rule_rows.segment
    group by rule_rows.as_of_date, rule_rows.rule_set, rule_rows.rule_id, segments.segment

),

final as (

    select
        as_of_date,
        rule_set,
        segment,
        count(*) filter (where is_on) as rules_in_use
    from applying
    group by as_of_date, rule_set, segment

)

select * from final
