-- name: owners
-- On the published copy: one page of them.
select * from marts.rpt_owner_work
where [[mine owner_id]]
order by overdue_actions desc, open_actions desc, owner_name, owner_id
limit $most offset $first;

-- name: count_owners
-- On the file of `radar.panel.read_model`, as the two below.
select count(*) as owners
from owners
where [[mine owner_id]];

-- name: spot_checks
-- The accounts drawn this week that no run has an answer of, one page.
select
    shown.account_id,
    bodies.body
from (
    select account_id, account_name
    from accounts
    where is_spot_check and [[mine owner_id]]
    order by account_name, account_id
    limit $most offset $first
) as shown
inner join bodies on shown.account_id = bodies.account_id
order by shown.account_name, shown.account_id;

-- name: count_spot_checks
select count(*) as checks
from accounts
where is_spot_check and [[mine owner_id]];
