-- Grain: one row per kind and id of reference data: what people read in its place.
-- An id without a row is read as its words. Buckets are no reference data: their three labels are the panel's.
-- A table: DuckDB 1.2 leaves out rows of such a union in a view.
{{ config(materialized='table') }}
with

final as (

    select
        kind,
        value,
        label
    from {{ ref('labels') }}
    where language is null
    union all
    select
        'signal' as kind,
        signal as value,
        label
    from {{ ref('signals') }}
    union all
    select
        'rule' as kind,
        rule_id as value,
        title as label
    from {{ ref('rpt_rule_titles') }}
    union all
    select
        'plan' as kind,
        plan_id as value,
        name as label
    from {{ ref('plans') }}

)

select * from final
