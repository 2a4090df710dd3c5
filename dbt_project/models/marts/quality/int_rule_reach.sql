-- Grain: one row per segment that scored accounts have on the newest as-of date ('' where they have none).
-- How low the rules in use of the champion rule set can take an account there, all of them together: conditions that
-- exclude each other are not looked for, so an account that cannot leave healthy here cannot leave it at all. A rule
-- that needs a feed which has never landed cannot fire.
with

champion_rule_set as (

    select * from {{ ref('rule_sets') }}
    where status = 'champion'

),

segments as (

    select distinct coalesce(segment, '') as segment
    from {{ ref('rpt_account_health') }}

),

conditions as (

    select
        conditions.rule_id,
        coalesce(conditions.segment, '') as rule_segment,
        bool_and(coalesce(signal_states.is_used, false)) as is_on,
        bool_and(coalesce(signal_states.is_used and not coalesce(signal_states.has_never_landed, false), false))
            as can_fire,
        bool_or(signals.can_be_negative) filter (where conditions.position = 1) as can_be_negative,
        bool_or(signals.unit = '0 or 1') filter (where conditions.position = 1) as is_at_most_one
    from {{ ref('rule_conditions') }} as conditions
    inner join champion_rule_set
        on conditions.rule_set = champion_rule_set.rule_set
    inner join {{ ref('signals') }} as signals
        on conditions.signal = signals.signal
    left join {{ ref('int_signal_states') }} as signal_states
        on
            conditions.signal = signal_states.signal
            and signal_states.as_of_date = {{ as_of_end() }}
    group by conditions.rule_id, coalesce(conditions.segment, '')

),

renewals as (

    select coalesce(bool_and(is_used and not coalesce(has_never_landed, false)), false) as are_known
    from {{ ref('int_signal_states') }}
    where
        signal = 'days_to_renewal'
        and as_of_date = {{ as_of_end() }}

),

rules as (

    select
        rules.rule_id,
        conditions.rule_segment,
        conditions.is_on,
        conditions.can_fire,
        conditions.can_fire and coalesce(rules.bucket, 'healthy') <> 'healthy' as is_cap,
        rules.per_unit
        and rules.max_points is null
        and not conditions.is_at_most_one
        and (rules.points < 0 or conditions.can_be_negative) as is_unlimited,
        case
            when rules.effect <> 'points' then 0
            when rules.per_unit and (rules.points < 0 or conditions.can_be_negative)
                then -1 * coalesce(rules.max_points, abs(rules.points))
            when rules.points < 0 then rules.points
            else 0
        end
        * case when renewals.are_known then greatest(coalesce(rules.renewal_factor, 1), 1) else 1 end as least_points
    from {{ ref('rules') }} as rules
    inner join champion_rule_set
        on rules.rule_set = champion_rule_set.rule_set
    inner join conditions
        on
            rules.rule_id = conditions.rule_id
            and coalesce(rules.segment, '') = conditions.rule_segment
    cross join renewals

),

-- a segment's own row of a rule replaces the general one there
ranked as (

    select
        segments.segment,
        rules.*,
        row_number() over (
            partition by segments.segment, rules.rule_id order by rules.rule_segment desc
        ) as choice
    from segments
    inner join rules
        on rules.rule_segment in ('', segments.segment)

),

summed as (

    select
        segments.segment,
        count(ranked.rule_id) as rules,
        count(*) filter (where not ranked.is_on) as rules_off,
        coalesce(bool_or(ranked.is_cap), false) as has_cap,
        coalesce(bool_or(ranked.can_fire and ranked.is_unlimited), false) as is_unlimited,
        coalesce(sum(ranked.least_points) filter (where ranked.can_fire), 0) as least_points
    from segments
    left join ranked
        on
            segments.segment = ranked.segment
            and ranked.choice = 1
    group by segments.segment

),

final as (

    select
        champion_rule_set.rule_set,
        summed.segment,
        summed.rules,
        summed.rules_off,
        case
            when summed.is_unlimited then 0
            else least(greatest(champion_rule_set.base_score + summed.least_points, 0), 100)
        end as least_score,
        summed.has_cap,
        summed.has_cap
        or summed.is_unlimited
        or champion_rule_set.base_score + summed.least_points < champion_rule_set.healthy_from as can_leave_healthy,
        champion_rule_set.healthy_from
    from summed
    cross join champion_rule_set

)

select * from final
