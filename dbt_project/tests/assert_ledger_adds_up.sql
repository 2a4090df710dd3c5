-- The points of the ledger are the points of the score, exactly, for every account and day of the build.
with

ledger as (

    select
        account_id,
        as_of_date,
        sum(points) as points
    from {{ ref('fct_health_evidence') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
    group by account_id, as_of_date

)

select
    history.account_id,
    history.as_of_date,
    history.points,
    ledger.points as ledger_points,
    history.score
from {{ ref('fct_health_history') }} as history
left join ledger
    on
        history.account_id = ledger.account_id
        and history.as_of_date = ledger.as_of_date
where
    history.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
    and (
        history.points <> coalesce(ledger.points, 0)
        or history.score <> cast({{ clamped('history.base_score + coalesce(ledger.points, 0)') }} as double)
    )
