-- Grain: one row per as_of_date, bucket, segment and owner with accounts in it, or that accounts left since the
-- as-of date before. Moves compare with the account's bucket on the newest earlier as-of date of the history.
{{ config(materialized='incremental', incremental_strategy='replace_window') }}
{#- read wherever it is asked for: a CTE that is read twice would have the whole window in memory -#}
{% set history = ref('fct_health_history') %}
with

scored_dates as (

    select distinct as_of_date from {{ history }}
    where as_of_date <= {{ as_of_end() }}

),

dates as (

    select
        as_of_date,
        lag(as_of_date) over (order by as_of_date) as date_before
    from scored_dates

),

window_dates as (

    select * from dates
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

before as (

    select
        history.account_id,
        history.bucket,
        history.segment,
        history.owner_id,
        window_dates.as_of_date
    from {{ history }} as history
    inner join window_dates
        on history.as_of_date = window_dates.date_before

),

moved as (

    select
        today.as_of_date,
        today.bucket,
        today.segment,
        today.owner_id,
        before.bucket as bucket_before,
        before.segment as segment_before,
        before.owner_id as owner_id_before
    from {{ history }} as today
    inner join before
        on
            today.account_id = before.account_id
            and today.as_of_date = before.as_of_date
    where
        today.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and before.bucket <> today.bucket

),

counted as (

    select
        as_of_date,
        bucket,
        segment,
        owner_id,
        count(*) as accounts,
        sum(cast(arr_usd as decimal(18, 2))) as arr_usd,
        sum(cast(score as decimal(18, 6))) as score,
        0 as moved_in,
        0 as moved_out
    from {{ history }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
    group by as_of_date, bucket, segment, owner_id
    union all
    select
        as_of_date,
        bucket,
        segment,
        owner_id,
        0 as accounts,
        null as arr_usd,
        null as score,
        1 as moved_in,
        0 as moved_out
    from moved
    union all
    select
        as_of_date,
        bucket_before as bucket,
        segment_before as segment,
        owner_id_before as owner_id,
        0 as accounts,
        null as arr_usd,
        null as score,
        0 as moved_in,
        1 as moved_out
    from moved

),

final as (

    select
        as_of_date,
        bucket,
        segment,
        owner_id,
        cast(sum(accounts) as bigint) as accounts,
        cast(sum(arr_usd) as double) as arr_usd,
        cast(sum(score) as double) / nullif(sum(accounts), 0) as mean_score,
        cast(sum(moved_in) as bigint) as moved_in,
        cast(sum(moved_out) as bigint) as moved_out
    from counted
    group by as_of_date, bucket, segment, owner_id

)

select * from final
