-- name: owners
-- On the published copy.
select *
from marts.rpt_owner_work
where [[mine owner_id]]
order by overdue_actions desc, open_actions desc, owner_name, owner_id;

-- name: spot_checks
-- On the file of `radar.panel.read_model`: the accounts drawn this week that no run has an answer of.
select account_id, body
from accounts
where is_spot_check and [[mine owner_id]]
order by account_name, account_id
limit 100;
