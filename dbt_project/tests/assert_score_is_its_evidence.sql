-- history.score = base plus the points of the account's evidence of the day, clamped to 0 to 100, exactly; and there is
-- no evidence of an account and day without a score.
with

evidence as (

    select
        account_id,
        as_of_date,
        sum(points) as points
    from {{ ref('fct_health_evidence') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
    group by account_id, as_of_date

),

history as (

    select * from {{ ref('fct_health_history') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

)

select
    coalesce(history.account_id, evidence.account_id) as account_id,
    coalesce(history.as_of_date, evidence.as_of_date) as as_of_date,
    history.score,
    history.points,
    evidence.points as evidence_points
from history
full outer join evidence
    on
        history.account_id = evidence.account_id
        and history.as_of_date = evidence.as_of_date
where
    history.points is distinct from coalesce(evidence.points, 0)
    or history.score
    is distinct from cast(greatest(0, least(100, history.base_score + coalesce(evidence.points, 0))) as double)
