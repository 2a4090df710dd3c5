-- On the file of `radar.panel.read_model`.
-- name: queue
select account_id, account_name, body
from accounts
where
    rank_overall is not null
    and [[mine owner_id]]
    and ($owner_id is null or owner_id = $owner_id)
order by rank_overall
limit 60;

-- name: owners
select owner_id, owner_name
from owners
where [[mine owner_id]]
order by owner_name, owner_id;
