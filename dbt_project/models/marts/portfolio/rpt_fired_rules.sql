-- Grain: one row per account and rule of the champion rule set that fires for it on the newest as-of date.
-- A view: its rows are those of fct_health_evidence.
with

final as (

    select
        account_id,
        rule_id,
        as_of_date
    from {{ ref('fct_health_evidence') }}
    where
        as_of_date = {{ as_of_end() }}
        and result = 'true'

)

select * from final
