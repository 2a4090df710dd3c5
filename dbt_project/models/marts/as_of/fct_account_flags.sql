-- Grain: one row per account, as_of_date and flag that the champion raised.
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
counted as (

    select
        account_id,
        as_of_date,
        flag,
        count(*) as rules,
        min(rule_id) as rule_id,
        min(evidence) as evidence
    from raised
    group by account_id, as_of_date, flag

),

listed as (

    select
        raised.account_id,
        raised.as_of_date,
        raised.flag,
        string_agg(raised.rule_id, ', ' order by raised.rule_number) as rule_id,
        string_agg(raised.evidence, '; ' order by raised.rule_number) as evidence
    from raised
    inner join counted
        on
            raised.account_id = counted.account_id
            and raised.as_of_date = counted.as_of_date
            and raised.flag = counted.flag
    where counted.rules > 1
    group by raised.account_id, raised.as_of_date, raised.flag

),

final as (

    select
        account_id,
        as_of_date,
        flag,
        rule_id,
        evidence
    from counted
    where rules = 1
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
