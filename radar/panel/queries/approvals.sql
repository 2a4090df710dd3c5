-- On the file of `radar.panel.read_model`. $answered: actions that people have answered since its data landed.
-- name: plays
select
    play,
    count(*) as waiting
from approvals
where [[mine owner_id]]
group by play
order by min(place), play;

-- name: answered_plays
select
    play,
    count(*) as answered
from approvals
where [[mine owner_id]] and action_id in (select value from json_each($answered))
group by play;

-- name: waiting
-- Of one play, in the order of the work list.
select
    waiting.account_id,
    bodies.body,
    waiting.action_id
from (
    select account_id, action_id, rank_overall, place
    from approvals
    where
        [[mine owner_id]]
        and play = $play
        and action_id not in (select value from json_each($answered))
    order by rank_overall, place, action_id
    limit $most offset $first
) as waiting
inner join bodies on waiting.account_id = bodies.account_id
order by waiting.rank_overall, waiting.place, waiting.action_id;
