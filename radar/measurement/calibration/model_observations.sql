-- Grain: as fct_observations: observations of which the risk model knows a risk, so that it is compared with other
-- scores on the same ones.
select observations.*
from {{ ref('fct_observations') }} as observations
inner join {{ ref('rpt_model_scores') }} as scores
    on
        observations.account_id = scores.account_id
        and observations.as_of_date = scores.as_of_date
        and scores.risk is not null
where observations.left_out_because is null
