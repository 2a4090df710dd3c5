-- Grain: one row per account, scored date of this build and rule that fired and limits the bucket because of the
-- relationship or of the value that the customer sees. A rule that asks for a review by itself is not among them: its
-- title is in review_rules of the history.
with

capping_rules as (

    select distinct
        segment_rules.segment,
        segment_rules.rule_id,
        segment_rules.title
    from {{ ref('int_segment_rules') }} as segment_rules
    inner join {{ ref('signals') }} as signals
        on segment_rules.signal = signals.signal
    where
        signals.family in ('relationship', 'value')
        and segment_rules.bucket is not null
        and segment_rules.effect <> 'review'
        and not segment_rules.needs_review
        and not segment_rules.is_weight

),

final as (

    select
        history.account_id,
        history.as_of_date,
        evidence.rule_number,
        capping_rules.title
    from capping_rules
    inner join {{ ref('fct_health_evidence') }} as evidence
        on capping_rules.rule_id = evidence.rule_id
    inner join {{ ref('fct_health_history') }} as history
        on
            evidence.account_id = history.account_id
            and evidence.as_of_date = history.as_of_date
            and capping_rules.segment is not distinct from history.segment
    where
        evidence.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and evidence.result = 'true'

)

select * from final
