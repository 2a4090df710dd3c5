-- The page Who is who. What of a feed finds its account is a query of the page Quality.

-- name: to_choose
select * from marts.dim_account_links
where not is_linked and [[mine owner_id]]
order by rows_waiting desc, source, source_account_id, account_id
limit 500

-- name: links
select source, rule, confidence, count(*) as ids, count(distinct account_id) as accounts
from marts.dim_account_links
where is_linked and [[mine owner_id]]
group by source, rule, confidence
order by source, rule

-- name: unresolved
-- for everyone
select * from marts.rpt_unresolved_ids
order by rows_waiting desc, feed, source_account_id
limit 50
