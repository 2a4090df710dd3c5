-- What the tools ask the published copy, next to the queries of the panel's pages. Each only selects.

-- name: decisions
-- Of how many accounts of this person the bucket is decided, and how much of the points could be evaluated.
select
    decision,
    count(*) as accounts,
    avg(coverage_pct) as coverage_pct
from marts.rpt_account_health
where [[mine owner_id]]
group by decision
order by decision

-- name: feeds
-- for everyone
select
    feed,
    state,
    last_arrived_at,
    signals
from marts.rpt_feed_states
where signals > 0
order by feed

-- name: base_score
-- for everyone
select base_score::double as base_score
from seeds.rule_sets
where rule_set = $rule_set

-- name: queue
-- How many accounts need a person, of one owner or all.
select count(*) as accounts
from marts.rpt_review_queue
where
    [[mine owner_id]]
    and ($owner_id::varchar is null or owner_id = $owner_id)

-- name: movers
-- The accounts whose score changed most within a week.
select
    account_id,
    account_name,
    score,
    delta_7d,
    bucket,
    decision,
    reason_1
from marts.rpt_account_health
where
    [[mine owner_id]]
    and delta_7d <> 0
order by abs(delta_7d) desc, arr_usd desc nulls last, account_id
limit $rows

-- name: relations
-- On a database in which the copy is attached as `published`: what a statement may read, and its columns.
select
    table_name as relation,
    list(column_name order by ordinal_position) as columns
from information_schema.columns
where
    table_catalog = 'published'
    and table_schema = 'marts'
group by table_name
order by table_name

-- name: by_account
-- The rows of a relation that are about accounts of this person, as the newest day has them.
select *
from published.marts.{relation}
where account_id in ({own_accounts})

-- name: scored_accounts
select account_id
from published.marts.rpt_account_health
where [[mine owner_id]]

-- name: not_scored_accounts
select account_id
from published.marts.rpt_not_scored_accounts
where [[mine owner_id]]

-- name: by_owner
select *
from published.marts.{relation}
where [[mine owner_id]]

-- name: whole
-- Read by whoever sees all accounts.
-- for everyone
select *
from published.marts.{relation}
