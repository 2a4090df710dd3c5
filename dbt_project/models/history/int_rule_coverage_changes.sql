-- Grain: one row per pair of dates that int_account_states compares, segment and rule of the champion rule set that
-- reads a signal which is known, or in use, on one of the two dates only.
-- part is what the rule's points count as: new_data where a feed that it needs came for the first time, else coverage.
with

date_pairs as (

    select distinct
        as_of_date,
        compared_with
    from {{ ref('int_account_states') }}
    where compared_with is not null

),

signal_states as (

    select * from {{ ref('int_signal_states') }}

),

signal_changes as (

    select
        date_pairs.as_of_date,
        date_pairs.compared_with,
        states_after.signal,
        coalesce(states_before.has_never_landed, false) and states_after.is_known as is_new
    from date_pairs
    inner join signal_states as states_after
        on date_pairs.as_of_date = states_after.as_of_date
    -- a signal that the catalogue did not have then was not known
    left join signal_states as states_before
        on
            date_pairs.compared_with = states_before.as_of_date
            and states_after.signal = states_before.signal
    where
        states_after.is_known <> coalesce(states_before.is_known, false)
        or states_after.is_used <> coalesce(states_before.is_used, true)

),

final as (

    select
        signal_changes.as_of_date,
        signal_changes.compared_with,
        segment_rules.segment,
        segment_rules.rule_id,
        case when bool_or(signal_changes.is_new) then 'new_data' else 'coverage' end as part
    from signal_changes
    inner join {{ ref('int_segment_rules') }} as segment_rules
        on signal_changes.signal = segment_rules.signal
    group by
        signal_changes.as_of_date,
        signal_changes.compared_with,
        segment_rules.segment,
        segment_rules.rule_id

)

select * from final
