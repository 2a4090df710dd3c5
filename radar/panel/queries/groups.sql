-- The group of an account, on its page.

-- name: group
select * from marts.rpt_account_hierarchy
where account_id = $account_id and [[mine owner_id]]

-- name: nearest
-- Its parent and its children, the worst first.
select * from marts.rpt_account_hierarchy
where (parent_account_id = $account_id or account_id = $parent_account_id) and [[mine owner_id]]
order by score nulls last, account_id
limit 51
