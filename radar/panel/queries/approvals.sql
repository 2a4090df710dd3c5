-- On the file of `radar.panel.read_model`. $answered: actions that people have answered since its data landed.
-- name: plays
select
    approvals.play,
    count(*) as waiting
from approvals
inner join accounts on approvals.account_id = accounts.account_id
where
    [[mine accounts.owner_id]]
    and approvals.action_id not in (select value from json_each($answered))
group by approvals.play
order by min(approvals.place), approvals.play;

-- name: waiting
-- Of one play, in the order of the work list.
select
    accounts.account_id,
    accounts.body,
    approvals.action_id
from approvals
inner join accounts on approvals.account_id = accounts.account_id
where
    [[mine accounts.owner_id]]
    and approvals.play = $play
    and approvals.action_id not in (select value from json_each($answered))
order by accounts.rank_overall, approvals.place, approvals.action_id
limit $most offset $first;
