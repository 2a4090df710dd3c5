-- The points of the ledger are the points of the score, exactly, for every account and day of the build.
-- Lines and days without points add nothing, and are left out of what is compared.
with

history as (

    select * from {{ ref('fct_health_history') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

ledger as (

    select
        account_id,
        as_of_date,
        sum(points) as points
    from {{ ref('fct_health_evidence') }}
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and points <> 0
    group by account_id, as_of_date

),

told as (

    select
        account_id,
        as_of_date,
        points
    from {{ ref('fct_health_history') }}
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and points <> 0

)

select
    coalesce(told.account_id, ledger.account_id) as account_id,
    coalesce(told.as_of_date, ledger.as_of_date) as as_of_date,
    'the ledger has other points' as problem
from told
full outer join ledger
    on
        told.account_id = ledger.account_id
        and told.as_of_date = ledger.as_of_date
where coalesce(told.points, 0) <> coalesce(ledger.points, 0)
union all
select
    account_id,
    as_of_date,
    'the points make another score' as problem
from history
where
    points is null
    or score <> cast({{ clamped('base_score + points') }} as double)
