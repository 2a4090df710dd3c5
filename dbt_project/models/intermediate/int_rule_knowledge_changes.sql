-- Grain: one row per pair of told days, rule of the champion and segment, where what is known of a signal that the
-- rule reads there is not the same on both days. `part` says what its points count as: new_data where a feed that it
-- needs came for the first time, else coverage.
with

champion as (

    select rule_set from {{ ref('rule_sets') }}
    where status = 'champion'

),

rules as (

    select
        rules.rule_id,
        rules.segment,
        rules.renewal_factor is not null as has_weight
    from {{ ref('rules') }} as rules
    inner join champion
        on rules.rule_set = champion.rule_set

),

conditions as (

    select
        conditions.rule_id,
        conditions.segment,
        conditions.signal
    from {{ ref('rule_conditions') }} as conditions
    inner join champion
        on conditions.rule_set = champion.rule_set

),

day_pairs as (

    select distinct
        as_of_date,
        compared_with,
        segment
    from {{ ref('int_score_pairs') }}

),

signal_states as (

    select * from {{ ref('int_signal_states') }}

),

-- a segment's own row speaks for it, the general row for all others
speaking_rules as (

    select
        day_pairs.as_of_date,
        day_pairs.compared_with,
        day_pairs.segment,
        rules.rule_id,
        rules.segment as rule_segment,
        rules.has_weight
    from day_pairs
    inner join rules
        on
            day_pairs.segment = rules.segment
            or rules.segment is null
    left join rules as own_rules
        on
            rules.rule_id = own_rules.rule_id
            and rules.segment is null
            and day_pairs.segment = own_rules.segment
    where own_rules.rule_id is null

),

signals_read as (

    select
        speaking_rules.as_of_date,
        speaking_rules.compared_with,
        speaking_rules.segment,
        speaking_rules.rule_id,
        conditions.signal
    from speaking_rules
    inner join conditions
        on
            speaking_rules.rule_id = conditions.rule_id
            and coalesce(speaking_rules.rule_segment, '') = coalesce(conditions.segment, '')
    union
    select
        as_of_date,
        compared_with,
        segment,
        rule_id,
        'days_to_renewal' as signal
    from speaking_rules
    where has_weight

),

final as (

    select
        signals_read.as_of_date,
        signals_read.compared_with,
        signals_read.segment,
        signals_read.rule_id,
        case
            when bool_or(coalesce(states_before.has_never_landed, false) and states_after.is_known) then 'new_data'
            else 'coverage'
        end as part
    from signals_read
    inner join signal_states as states_after
        on
            signals_read.as_of_date = states_after.as_of_date
            and signals_read.signal = states_after.signal
    -- a signal that the catalogue did not have then was not known
    left join signal_states as states_before
        on
            signals_read.compared_with = states_before.as_of_date
            and signals_read.signal = states_before.signal
    where
        states_after.is_known <> coalesce(states_before.is_known, false)
        or states_after.is_used <> coalesce(states_before.is_used, true)
    group by
        signals_read.as_of_date,
        signals_read.compared_with,
        signals_read.segment,
        signals_read.rule_id

)

select * from final
