-- The score is in its interval, and the interval in 0 to 100.
select
    account_id,
    as_of_date,
    score_low,
    score,
    score_high
from {{ ref('fct_health_history') }}
where
    as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
    and not (0 <= score_low and score_low <= score and score <= score_high and score_high <= 100)
