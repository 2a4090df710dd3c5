-- Grain: one row per bucket of a week before, bucket of the newest as-of date, segment and owner with accounts.
-- The week before is the newest scored date at least 7 and at most 14 days before the newest that the same rules
-- scored; no row without one: what other rules say of an account is no move of the account.
with

history as (

    select * from {{ ref('fct_health_history') }}
    where as_of_date between {{ add_days(as_of_end(), '-14') }} and {{ as_of_end() }}

),

today as (

    select * from history
    where as_of_date = {{ as_of_end() }}

),

rules_of_today as (

    select max(rule_version) as rule_version from today

),

compared as (

    select max(history.as_of_date) as compared_with
    from history
    inner join rules_of_today
        on history.rule_version is not distinct from rules_of_today.rule_version
    where history.as_of_date <= {{ add_days(as_of_end(), '-7') }}

),

before as (

    select history.*
    from history
    inner join compared
        on history.as_of_date = compared.compared_with

),

pairs as (

    select
        coalesce(before.bucket, 'new') as bucket_before,
        coalesce(today.bucket, 'gone') as bucket,
        coalesce(today.segment, before.segment) as segment,
        coalesce(today.owner_id, before.owner_id) as owner_id,
        coalesce(today.arr_usd, before.arr_usd) as arr_usd
    from before
    full outer join today
        on before.account_id = today.account_id

),

final as (

    select
        {{ as_of_end() }} as as_of_date,
        compared.compared_with,
        pairs.bucket_before,
        pairs.bucket,
        pairs.segment,
        pairs.owner_id,
        count(*) as accounts,
        cast(sum(cast(pairs.arr_usd as decimal(18, 2))) as double) as arr_usd
    from pairs
    cross join compared
    where compared.compared_with is not null
    group by compared.compared_with, pairs.bucket_before, pairs.bucket, pairs.segment, pairs.owner_id

)

select * from final
