-- Grain: one row per account, as_of_date and shadow rule set: how the shadow scored the account on the day of a run. A
-- run records its last as-of date; a run that fills earlier dates leaves them as they were.
{{ config(incremental_strategy='delete+insert', unique_key='as_of_date') }}
with

final as (

    select
        -- ids
        account_id,
        as_of_date,
        rule_set,
        rule_version,

        -- score
        score,
        bucket,
        decision
    from {{ ref('int_shadow_scores') }}

)

select * from final
