-- On the file of `radar.panel.read_model`.
-- name: account
select account_id, body
from accounts
where account_id = $account_id and [[mine owner_id]];

-- name: details
select details.piece, details.body
from accounts
inner join details on accounts.account_id = details.account_id
where accounts.account_id = $account_id and [[mine accounts.owner_id]];

-- name: find
select account_id, account_name, body
from accounts
where
    not exists (select 1 from json_each($words) as word where instr(accounts.search, word.value) = 0)
    and [[mine owner_id]]
order by account_name, account_id
limit 51;

-- name: shared
-- for everyone
select name, body
from shared;
