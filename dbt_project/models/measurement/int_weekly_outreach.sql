-- Grain: one row per metric, account and date of a change of its bucket, or of the first day at risk, with its week:
-- whether a person looked at the change, and how soon one reached out after the flag. hits are days for the mean.
-- is_open: not known yet, so the week's metric is not known either.
with

known as (

    select max(known_until_date) as known_until_date from {{ ref('int_measured_dates') }}

),

buckets as (

    select
        account_id,
        as_of_date,
        bucket,
        cast(date_trunc('week', as_of_date) as date) as week_start_date,
        lag(bucket) over (partition by account_id order by as_of_date) as bucket_before
    from {{ ref('fct_health_history') }}

),

changes as (

    select
        buckets.account_id,
        buckets.as_of_date,
        buckets.week_start_date,
        max(cast(verdicts.account_id is not null as integer)) as is_reviewed
    from buckets
    left join {{ ref('fct_verdicts') }} as verdicts
        on
            buckets.account_id = verdicts.account_id
            and verdicts.judged_date between buckets.as_of_date and {{ add_days('buckets.as_of_date', 7) }}
    where buckets.bucket <> buckets.bucket_before
    group by buckets.account_id, buckets.as_of_date, buckets.week_start_date

),

flags as (

    select
        *,
        cast(date_trunc('week', started_on) as date) as week_start_date,
        {{ dbt.datediff('started_on', 'first_outreach_date', 'day') }} as days_to_outreach
    from {{ ref('fct_flag_episodes') }}
    where
        flag_level = 'at_risk'
        and left_out_because is distinct from 'flagged_when_first_scored'

),

cases as (

    select
        week_start_date,
        'reviewed_changes' as metric,
        7 as horizon_days,
        account_id,
        as_of_date as case_date,
        1 as n,
        is_reviewed as hits,
        {{ add_days('as_of_date', 7) }} as open_until
    from changes
    union all
    select
        week_start_date,
        'reached_after_flag' as metric,
        cast({{ setting('treated_days') }} as integer) as horizon_days,
        account_id,
        started_on as case_date,
        1 as n,
        cast(coalesce(days_to_outreach <= {{ setting('treated_days') }}, false) as integer) as hits,
        {{ add_days('started_on', setting('treated_days')) }} as open_until
    from flags
    union all
    select
        week_start_date,
        'days_to_first_outreach' as metric,
        90 as horizon_days,
        account_id,
        started_on as case_date,
        cast(coalesce(days_to_outreach <= 90, false) as integer) as n,
        case when days_to_outreach <= 90 then days_to_outreach else 0 end as hits,
        case when days_to_outreach is null then {{ add_days('started_on', 90) }} end as open_until
    from flags

),

final as (

    select
        cases.week_start_date,
        cases.metric,
        cases.horizon_days,
        cases.account_id,
        cases.case_date,
        cases.n,
        cases.hits,
        -- greatest leaves nulls out: a week is open until Sunday at least
        greatest(cases.open_until, {{ add_days('cases.week_start_date', 6) }}) > known.known_until_date as is_open
    from cases
    cross join known

)

select * from final
