-- Every feed's newest state (held, where its run recorded both), with how its checks of that run came out.
with

states as (

    select
        feed,
        max_by(run_id, (batch_id, state = 'held', recorded_at)) as run_id,
        max_by(state, (batch_id, state = 'held', recorded_at)) as state,
        max_by(reason, (batch_id, state = 'held', recorded_at)) as reason,
        max(recorded_at) as recorded_at
    from audit.feed_states
    group by feed

)

select
    states.feed,
    states.state,
    states.recorded_at,
    count(*) filter (where checks.success) as passed,
    count(*) filter (where not checks.success and checks.error is null) as failed,
    count(*) filter (where checks.error is not null) as errors,
    states.reason
from states
left join audit.checks as checks
    on states.feed = checks.feed
    and states.run_id = checks.run_id
group by all
order by states.feed
