-- Grain: one row per bucket: what became of the renewals of accounts that were in it 30 to 37 days before.
with

scored as (

    select * from {{ ref('int_renewal_scores') }}

),

buckets as (

    select {{ bucket_name('bucket_rank') }} as bucket
    from (select unnest([1, 2, 3]) as bucket_rank) as ranks

),

accounts as (

    select
        bucket,
        account_id,
        count(*) as n,
        count(*) filter (where renewal_result = 'lost') as hits
    from scored
    group by bucket, account_id

),

rates as (

    {{ clustered_rates('accounts', ['bucket']) }}

),

counted as (

    select
        bucket,
        count(*) as renewals,
        count(*) filter (where renewal_result = 'lost') as lost,
        count(*) filter (where renewal_result = 'contracted') as contracted,
        count(*) filter (where renewal_result = 'flat') as flat,
        count(*) filter (where renewal_result = 'expanded') as expanded,
        count(*) filter (where renewal_result = 'unknown') as unknown_renewals,
        count(*) filter (where renewed_subscriptions > 1) as joint_renewals
    from scored
    group by bucket

),

final as (

    select
        buckets.bucket,
        coalesce(counted.renewals, 0) as renewals,
        coalesce(rates.accounts, 0) as accounts,
        coalesce(counted.lost, 0) as lost,
        coalesce(counted.contracted, 0) as contracted,
        coalesce(counted.flat, 0) as flat,
        coalesce(counted.expanded, 0) as expanded,
        coalesce(counted.unknown_renewals, 0) as unknown_renewals,
        coalesce(counted.joint_renewals, 0) as joint_renewals,
        rates.rate as lost_rate,
        rates.ci_low,
        rates.ci_high
    from buckets
    left join counted
        on buckets.bucket = counted.bucket
    left join rates
        on buckets.bucket = rates.bucket

)

select * from final
