-- Grain: one row per segment of scored accounts (null too), rule of the champion rule set, and signal that the rule
-- reads there in a condition, or with is_weight, for the weight of its points.
-- A rule's own row for a segment replaces its general row there.
with

rules as (

    select rules.*
    from {{ ref('rules') }} as rules
    inner join {{ ref('rule_sets') }} as rule_sets
        on rules.rule_set = rule_sets.rule_set
    where rule_sets.status = 'champion'

),

segments as (

    select distinct segment
    from {{ ref('int_accounts__as_of') }}
    where as_of_date >= {{ as_of_start() }}

),

ranked as (

    select
        segments.segment,
        rules.rule_set,
        rules.rule_id,
        rules.segment as rule_segment,
        rules.title,
        rules.effect,
        rules.bucket,
        coalesce(rules.needs_review, false) as needs_review,
        rules.renewal_factor,
        row_number() over (
            partition by segments.segment, rules.rule_id
            order by rules.segment nulls last
        ) as choice
    from segments
    inner join rules
        on
            rules.segment is null
            or segments.segment = rules.segment

),

applicable as (

    select * from ranked
    where choice = 1

),

final as (

    select
        applicable.segment,
        applicable.rule_id,
        applicable.title,
        applicable.effect,
        applicable.bucket,
        applicable.needs_review,
        conditions.signal,
        false as is_weight
    from applicable
    inner join {{ ref('rule_conditions') }} as conditions
        on
            applicable.rule_set = conditions.rule_set
            and applicable.rule_id = conditions.rule_id
            and applicable.rule_segment is not distinct from conditions.segment
    union
    select
        segment,
        rule_id,
        title,
        effect,
        bucket,
        needs_review,
        'days_to_renewal' as signal,
        true as is_weight
    from applicable
    where renewal_factor is not null

)

select * from final
