-- Grain: one row per rule set that is scored, rule, segment and owner, on the newest as-of date.
with

results as (

    select * from {{ ref('int_newest_rule_results') }}

),

accounts as (

    select * from {{ ref('int_accounts__as_of') }}
    where as_of_date = {{ as_of_end() }}

),

final as (

    select
        {{ as_of_end() }} as as_of_date,
        results.rule_set,
        results.rule_set_status,
        results.rule_version,
        results.rule_id,
        results.rule_number,
        accounts.segment,
        accounts.owner_id,
        count(*) as accounts,
        count(*) filter (where results.result = 'true') as held,
        count(*) filter (where results.result = 'unknown') as unknown,
        count(*) filter (where results.result = 'off') as switched_off,
        cast(coalesce(sum(results.points) filter (where results.result = 'true'), 0) as decimal(18, 6)) as points,
        cast(
            coalesce(sum(cast(accounts.arr_usd as decimal(18, 2))) filter (where results.result = 'true'), 0) as double
        ) as held_arr_usd
    from results
    inner join accounts
        on results.account_id = accounts.account_id
    group by
        results.rule_set, results.rule_set_status, results.rule_version, results.rule_id, results.rule_number,
        accounts.segment, accounts.owner_id

)

select * from final
