-- Grain: one row per account, level of flag and unbroken run of its scored dates on which it was flagged: at_risk, or
-- not_healthy (watch or at_risk).
with

scores as (

    select
        account_id,
        as_of_date,
        bucket,
        row_number() over (partition by account_id order by as_of_date) as date_number
    from {{ ref('int_measured_scores') }}

),

flagged as (

    select
        'at_risk' as flag_level,
        account_id,
        as_of_date,
        date_number
    from scores
    where bucket = 'at_risk'
    union all
    select
        'not_healthy' as flag_level,
        account_id,
        as_of_date,
        date_number
    from scores
    where bucket <> 'healthy'

),

numbered as (

    select
        *,
        date_number - row_number() over (
            partition by flag_level, account_id
            order by date_number
        ) as run_number
    from flagged

),

final as (

    select
        flag_level,
        account_id,
        min(as_of_date) as started_on,
        max(as_of_date) as last_flagged_on,
        count(*) as scored_dates,
        min(date_number) = 1 as is_since_first_score
    from numbered
    group by flag_level, account_id, run_number

)

select * from final
