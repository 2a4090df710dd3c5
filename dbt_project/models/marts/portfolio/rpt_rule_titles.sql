-- Grain: one row per rule of the champion rule set, whatever its segments.
-- The title is that of the row for all segments; where there is none, the first one of a segment.
with

rules as (

    select rules.*
    from {{ ref('rules') }} as rules
    inner join {{ ref('rule_sets') }} as rule_sets
        on rules.rule_set = rule_sets.rule_set
    where rule_sets.status = 'champion'

),

final as (

    select
        rule_set,
        rule_id,
        coalesce(min(case when segment is null then title end), min(title)) as title
    from rules
    group by rule_set, rule_id

)

select * from final
