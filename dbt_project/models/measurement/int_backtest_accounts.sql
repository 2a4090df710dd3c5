-- Grain: one row per slice, horizon, account and group of observations: all of them, those of each bucket, and
-- not_healthy. Guarantees a row for every group of an account, also one that it was never in.
with

buckets as (

    select {{ bucket_name('bucket_rank') }} as bucket
    from (select unnest([1, 2, 3]) as bucket_rank) as ranks

),

groups as (

    select
        bucket as group_name,
        bucket
    from buckets
    union all
    select
        'not_healthy' as group_name,
        bucket
    from buckets
    where bucket <> 'healthy'
    union all
    select
        'all' as group_name,
        bucket
    from buckets

),

counted as (

    select
        slice,
        horizon_days,
        account_id,
        bucket,
        count(*) as observations,
        count(*) filter (where has_churned) as churned,
        count(*) filter (where has_contracted) as contracted,
        count(*) filter (where has_expanded) as expanded,
        count(*) filter (where is_bad) as bad,
        coalesce(sum(arr_usd), 0) as arr_usd,
        coalesce(sum(arr_usd) filter (where has_churned), 0) as churned_arr_usd
    from {{ ref('int_backtest_observations') }}
    group by slice, horizon_days, account_id, bucket

),

accounts as (

    select distinct
        slice,
        horizon_days,
        account_id
    from counted

),

final as (

    select
        accounts.slice,
        accounts.horizon_days,
        accounts.account_id,
        groups.group_name,
        coalesce(sum(counted.observations), 0) as observations,
        coalesce(sum(counted.churned), 0) as churned,
        coalesce(sum(counted.contracted), 0) as contracted,
        coalesce(sum(counted.expanded), 0) as expanded,
        coalesce(sum(counted.bad), 0) as bad,
        coalesce(sum(counted.arr_usd), 0) as arr_usd,
        coalesce(sum(counted.churned_arr_usd), 0) as churned_arr_usd
    from accounts
    cross join groups
    left join counted
        on
            accounts.slice = counted.slice
            and accounts.horizon_days = counted.horizon_days
            and accounts.account_id = counted.account_id
            and groups.bucket = counted.bucket
    group by accounts.slice, accounts.horizon_days, accounts.account_id, groups.group_name

)

select * from final
