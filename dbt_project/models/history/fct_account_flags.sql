-- Grain: one row per account, as_of_date and flag that the champion rule set raised.
{{ config(incremental_strategy='replace_window') }}
with

raised as (

    select
        account_id,
        as_of_date,
        flag,
        rule_id,
        rule_number,
        evidence
    from {{ ref('fct_health_evidence') }}
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and result = 'true'
        and flag is not null

),

-- most flags are raised by one rule, and need no list in order
shared as (

    select
        account_id,
        as_of_date,
        flag
    from raised
    group by account_id, as_of_date, flag
    having count(*) > 1

),

listed as (

    select
        raised.account_id,
        raised.as_of_date,
        raised.flag,
        string_agg(raised.rule_id, ', ' order by raised.rule_number) as rule_id,
        string_agg(raised.evidence, '; ' order by raised.rule_number) as evidence
    from raised
    inner join shared
        on
            raised.account_id = shared.account_id
            and raised.as_of_date = shared.as_of_date
            and raised.flag = shared.flag
    group by raised.account_id, raised.as_of_date, raised.flag

),

final as (

    select
        raised.account_id,
        raised.as_of_date,
        raised.flag,
        raised.rule_id,
        raised.evidence
    from raised
    left join shared
        on
            raised.account_id = shared.account_id
            and raised.as_of_date = shared.as_of_date
            and raised.flag = shared.flag
    where shared.account_id is null
    union all
    select
        account_id,
        as_of_date,
        flag,
        rule_id,
        evidence
    from listed

)

select * from final
