-- Grain: one row per observation with a risk: the risk as a score, so that the lowest are the riskiest.
select
    account_id,
    as_of_date,
    100 * (1 - risk) as score,
    'healthy' as bucket
from {{ ref('rpt_model_scores') }}
where risk is not null
