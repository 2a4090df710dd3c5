-- Grain: one row per reason why scored rows of the grid are no observations.
select
    left_out_because,
    count(*) as left_out
from {{ ref('fct_observations') }}
where left_out_because is not null
group by left_out_because
