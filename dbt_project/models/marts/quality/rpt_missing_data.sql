-- Grain: one row per feed that is stale, blocked or never landed, and owner with accounts that are not decided because
-- of it on the newest as-of date.
with

feeds as (

    select *
    from {{ ref('rpt_feed_states') }}
    where state in ('held', 'stale', 'never_landed')

),

reasons as (

    select * from {{ ref('rpt_undecided_reasons') }}
    where decision = 'undecided'

),

final as (

    select
        feeds.feed,
        feeds.state,
        feeds.last_arrived_at,
        feeds.newest_fact_date,
        feeds.attention_rank,
        reasons.owner_id,
        count(distinct reasons.account_id) as accounts
    from feeds
    inner join reasons
        on ' ' || reasons.feeds || ' ' like '% ' || feeds.feed || ' %'
    group by
        feeds.feed,
        feeds.state,
        feeds.last_arrived_at,
        feeds.newest_fact_date,
        feeds.attention_rank,
        reasons.owner_id

)

select * from final
