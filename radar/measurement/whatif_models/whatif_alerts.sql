-- Grain: one row per side (before: as recorded, after: the rules that are asked about): how many alerts there would have
-- been over the past year. An alert is an account that is at risk and was not on its scored date before; the first
-- scored date of an account raises none.
with

dates as (

    select max(as_of_date) as last_date from {{ ref('int_measured_scores') }}

),

sides as (

    select
        'before' as side,
        account_id,
        as_of_date,
        owner_id,
        bucket
    from {{ ref('int_measured_scores') }}
    union all
    select
        'after' as side,
        candidate.account_id,
        candidate.as_of_date,
        recorded.owner_id,
        candidate.bucket
    from {{ ref('candidate_scores') }} as candidate
    inner join {{ ref('int_measured_scores') }} as recorded
        on
            candidate.account_id = recorded.account_id
            and candidate.as_of_date = recorded.as_of_date

),

followed as (

    select
        *,
        lag(bucket) over (partition by side, account_id order by as_of_date) as bucket_before
    from sides

),

weeks as (

    select
        followed.side,
        followed.owner_id,
        {{ dbt.date_trunc('week', 'followed.as_of_date') }} as week,
        count(*) filter (where followed.bucket = 'at_risk' and followed.bucket_before <> 'at_risk') as alerts
    from followed
    cross join dates
    where followed.as_of_date > {{ add_days('dates.last_date', -365) }}
    group by followed.side, followed.owner_id, {{ dbt.date_trunc('week', 'followed.as_of_date') }}

),

final as (

    select
        side,
        count(distinct week) as weeks,
        sum(alerts) as alerts,
        cast(sum(alerts) as double) / count(distinct week) as alerts_per_week,
        max(alerts) as most_of_an_owner,
        cast({{ setting('owner_weekly_actions') }} as bigint) as owner_capacity
    from weeks
    group by side

)

select * from final
