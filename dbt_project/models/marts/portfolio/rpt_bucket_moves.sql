-- Grain: one row per bucket of a week before, bucket of the newest as-of date, segment and owner with accounts.
-- The week before is the newest scored date at least 7 and at most 14 days before the newest; no row without one.
with

history as (

    select * from {{ ref('fct_health_history') }}
    where as_of_date between {{ add_days(as_of_end(), '-14') }} and {{ as_of_end() }}

),

compared as (

    select max(as_of_date) as compared_with
    from history
    where as_of_date <= {{ add_days(as_of_end(), '-7') }}

),

today as (

    select * from history
    where as_of_date = {{ as_of_end() }}

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
