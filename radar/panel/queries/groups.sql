-- The group of an account, on its page; on the file of `radar.panel.read_model`.

-- name: group
select body from hierarchy
where account_id = $account_id and [[mine owner_id]];

-- name: nearest
-- Its parent and its children, the worst first.
select body from hierarchy
where (parent_account_id = $account_id or account_id = $parent_account_id) and [[mine owner_id]]
order by score nulls last, account_id
limit 51;
