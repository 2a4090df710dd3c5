-- Grain: one row per as_of_date, decision, segment and owner with accounts in it.
{{ config(materialized='incremental', incremental_strategy='replace_window') }}
with

history as (

    select * from {{ ref('fct_health_history') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

final as (

    select
        as_of_date,
        decision,
        segment,
        owner_id,
        count(*) as accounts,
        cast(sum(cast(arr_usd as decimal(18, 2))) as double) as arr_usd,
        cast(sum(cast(coverage_pct as decimal(18, 6))) as double) / count(*) as mean_coverage_pct,
        count(*) filter (where is_overridden) as overridden_accounts
    from history
    group by as_of_date, decision, segment, owner_id

)

select * from final
