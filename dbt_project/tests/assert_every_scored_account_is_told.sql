-- Every account that is scored on a day is in that day's history, and no other.
select
    coalesce(accounts.account_id, history.account_id) as account_id,
    coalesce(accounts.as_of_date, history.as_of_date) as as_of_date
from (
    select * from {{ ref('int_accounts__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
) as accounts
full outer join (
    select * from {{ ref('fct_health_history') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
) as history
    on
        accounts.account_id = history.account_id
        and accounts.as_of_date = history.as_of_date
where
    accounts.account_id is null
    or history.account_id is null
