-- Grain: one row per rule of the champion rule set that is off on the newest as-of date, because a feed is not used or
-- the reference data gives no word of a feed the meaning that it counts by.
-- Such a rule gives no points and is outside coverage: what it looks for cannot be seen.
with

rules as (

    select rules.*
    from {{ ref('rules') }} as rules
    inner join {{ ref('rule_sets') }} as rule_sets
        on rules.rule_set = rule_sets.rule_set
    where rule_sets.status = 'champion'

),

counted as (

    select count(distinct rule_id) as rules_in_set
    from rules

),

titles as (

    select
        rule_set,
        rule_id,
        min_by(title, coalesce(segment, '')) as title
    from rules
    group by rule_set, rule_id

),

unused_signals as (

    select
        signals.signal,
        feeds.feed,
        feeds.feed || ' is not used' as reason
    from {{ ref('signals') }} as signals
    inner join {{ ref('feeds') }} as feeds
        on ' ' || signals.feeds || ' ' like '% ' || feeds.feed || ' %'
    where not feeds.is_used
    union all
    select
        signal,
        feed,
        'no event name is marked as ' || replace(vocabulary, '_', ' ') || ' in product_events.csv' as reason
    from {{ ref('int_vocabularies') }}
    where not is_used

),

missing as (

    select distinct
        conditions.rule_set,
        conditions.rule_id,
        signals.signal,
        signals.label,
        unused_signals.feed,
        unused_signals.reason
    from {{ ref('rule_conditions') }} as conditions
    inner join {{ ref('signals') }} as signals
        on conditions.signal = signals.signal
    inner join unused_signals
        on signals.signal = unused_signals.signal

),

final as (

    select
        titles.rule_set,
        titles.rule_id,
        titles.title,
        {{ as_of_end() }} as as_of_date,
        string_agg(distinct missing.signal, ', ' order by missing.signal) as signals,
        string_agg(distinct missing.label, ', ' order by missing.label) as signal_labels,
        string_agg(distinct missing.feed, ', ' order by missing.feed) as feeds,
        string_agg(distinct missing.reason, '; ' order by missing.reason) as reasons,
        counted.rules_in_set
    from titles
    inner join missing
        on
            titles.rule_set = missing.rule_set
            and titles.rule_id = missing.rule_id
    cross join counted
    group by titles.rule_set, titles.rule_id, titles.title, counted.rules_in_set

)

select * from final
