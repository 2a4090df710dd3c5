-- Grain: one row per slice, horizon, account and as_of_date: the observations of which the outcome is known. A slice is
-- `all`, or a value of what `radar backtest --by` names.
{%- for days in var('horizons') %}
{%- if not loop.first %}
union all
{%- endif %}
select
    {{ var('slice') }} as slice,
    {{ days }} as horizon_days,
    account_id,
    as_of_date,
    owner_id,
    score,
    bucket,
    arr_usd,
    has_churned_{{ days }}d as has_churned,
    coalesce(has_contracted_{{ days }}d, false) as has_contracted,
    coalesce(has_expanded_{{ days }}d, false) as has_expanded,
    has_churned_{{ days }}d or coalesce(has_contracted_{{ days }}d, false) as is_bad
from {{ ref('fct_observations') }}
where
    left_out_because is null
    and not is_censored_{{ days }}d
{%- endfor %}
