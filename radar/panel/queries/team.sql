-- name: owners
-- On the published copy.
select *
from marts.rpt_owner_work
where [[mine owner_id]]
order by overdue_actions desc, open_actions desc, owner_name, owner_id;

-- name: spot_checks
-- On the file of `radar.panel.read_model`: the accounts drawn this week that no run has an answer of.
select accounts.account_id, bodies.body
from accounts
inner join bodies on accounts.account_id = bodies.account_id
where accounts.is_spot_check and [[mine accounts.owner_id]]
order by accounts.account_name, accounts.account_id
limit 100;
