-- Grain: one row per pair of told days of an account and rule whose points are not the same on both, or whose points
-- of the day before late data changed. Points of the day before are those of today's rules on what was told then:
-- the ledger's where the rules are the same, else evaluated anew.
-- depends_on: {{ ref('fct_rule_results') }}
{% set other_rules = days_of_other_rules() %}
with

pairs as (

    select * from {{ ref('int_score_pairs') }}

),

points_of_rules as (

    select
        pairs.account_id,
        pairs.as_of_date,
        evidence.rule_id,
        cast(0 as decimal(18, 6)) as points_before,
        cast(0 as decimal(18, 6)) as late_points,
        evidence.points as points_after
    from pairs
    inner join {{ ref('fct_health_evidence') }} as evidence
        on
            pairs.account_id = evidence.account_id
            and pairs.as_of_date = evidence.as_of_date
    where evidence.points <> 0
    union all
    select
        pairs.account_id,
        pairs.as_of_date,
        evidence.rule_id,
        evidence.points as points_before,
        cast(0 as decimal(18, 6)) as late_points,
        cast(0 as decimal(18, 6)) as points_after
    from pairs
    inner join {{ ref('fct_health_evidence') }} as evidence
        on
            pairs.account_id = evidence.account_id
            and pairs.compared_with = evidence.as_of_date
    where
        pairs.rule_version = pairs.rule_version_before
        and evidence.points <> 0
    {% if other_rules %}
    union all
    select
        pairs.account_id,
        pairs.as_of_date,
        rule_results.rule_id,
        rule_results.points as points_before,
        cast(0 as decimal(18, 6)) as late_points,
        cast(0 as decimal(18, 6)) as points_after
    from pairs
    inner join {{ ref('fct_rule_results') }} as rule_results
        on
            pairs.account_id = rule_results.account_id
            and pairs.compared_with = rule_results.as_of_date
    where
        pairs.rule_version <> pairs.rule_version_before
        and rule_results.rule_set_status = 'champion'
        and rule_results.points <> 0
        and rule_results.as_of_date in ({{ other_rules }})
    {% endif %}
    union all
    select
        pairs.account_id,
        pairs.as_of_date,
        late_points.rule_id,
        cast(0 as decimal(18, 6)) as points_before,
        late_points.points as late_points,
        cast(0 as decimal(18, 6)) as points_after
    from pairs
    inner join {{ ref('int_late_points') }} as late_points
        on
            pairs.account_id = late_points.account_id
            and pairs.compared_with = late_points.as_of_date
    where pairs.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

summed as (

    select
        account_id,
        as_of_date,
        rule_id,
        cast(sum(points_before) as decimal(18, 6)) as points_before,
        cast(sum(late_points) as decimal(18, 6)) as late_points,
        cast(sum(points_after) as decimal(18, 6)) as points_after
    from points_of_rules
    group by account_id, as_of_date, rule_id

),

final as (

    select
        -- ids
        pairs.account_id,
        pairs.as_of_date,
        pairs.compared_with,
        summed.rule_id,

        -- points
        summed.points_before,
        case when changes.part is null then summed.late_points else 0 end as late_points,
        summed.points_after,
        coalesce(changes.part, 'behaviour') as part
    from summed
    inner join pairs
        on
            summed.account_id = pairs.account_id
            and summed.as_of_date = pairs.as_of_date
    left join {{ ref('int_rule_knowledge_changes') }} as changes
        on
            pairs.as_of_date = changes.as_of_date
            and pairs.compared_with = changes.compared_with
            and coalesce(pairs.segment, '') = coalesce(changes.segment, '')
            and summed.rule_id = changes.rule_id

)

select * from final
