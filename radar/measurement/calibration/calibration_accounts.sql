-- Grain: one row per paying observation: what decides about its score, apart from the rules.
select accounts.*
from {{ ref('int_scored_accounts') }} as accounts
inner join {{ ref('calibration_inputs') }} as inputs
    on
        accounts.account_id = inputs.account_id
        and accounts.as_of_date = inputs.as_of_date
