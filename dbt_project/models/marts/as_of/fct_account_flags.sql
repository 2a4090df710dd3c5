-- Grain: one row per account, as_of_date and flag that the champion raised.
with

evidence as (

    select * from {{ ref('fct_health_evidence') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

final as (

    select
        account_id,
        as_of_date,
        flag,
        string_agg(rule_id, ', ' order by rule_number) as rule_id,
        string_agg(evidence, '; ' order by rule_number) as evidence
    from evidence
    where
        result = 'true'
        and flag is not null
    group by account_id, as_of_date, flag

)

select * from final
