-- On the file of `radar.panel.read_model`.
-- name: account
select accounts.account_id, bodies.body
from accounts
inner join bodies on accounts.account_id = bodies.account_id
where accounts.account_id = $account_id and [[mine accounts.owner_id]];

-- name: details
select details.piece, details.body
from accounts
inner join details on accounts.account_id = details.account_id
where accounts.account_id = $account_id and [[mine accounts.owner_id]];

-- name: find
select found.account_id, found.account_name, bodies.body
from (
    select account_id, account_name
    from accounts
    where
        not exists (select 1 from json_each($words) as word where instr(accounts.search, word.value) = 0)
        and [[mine owner_id]]
    order by account_name, account_id
    limit 51
) as found
inner join bodies on found.account_id = bodies.account_id
order by found.account_name, found.account_id;

-- name: shared
-- for everyone
select name, body
from shared;
