-- Grain: one row per scored account and as_of_date: what decides about a score, apart from the rules.
-- `contradiction` is null where sources agree, `unknown_signals` where nothing is unknown of this account alone.
select
    accounts.account_id,
    accounts.as_of_date,
    accounts.segment,
    contradictions.reason as contradiction,
    unknown_days.unknown_signals,
    coalesce(unknown_days.is_customer_unknown, false) as is_customer_unknown
from {{ ref('int_accounts__as_of') }} as accounts
left join {{ ref('int_account_unknown_days') }} as unknown_days
    on
        accounts.account_id = unknown_days.account_id
        and accounts.as_of_date = unknown_days.as_of_date
left join {{ ref('int_contradictions__as_of') }} as contradictions
    on
        accounts.account_id = contradictions.account_id
        and accounts.as_of_date = contradictions.as_of_date
