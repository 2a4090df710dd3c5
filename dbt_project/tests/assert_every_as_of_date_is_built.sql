-- A build of many days has built them all: a day on which accounts were scored is missing nowhere.
{% for family in ['usage', 'adoption', 'support', 'billing', 'comms', 'relationship', 'value', 'sentiment'] %}
select
    '{{ family }}' as family,
    accounts.as_of_date,
    accounts.accounts,
    coalesce(signals.accounts, 0) as accounts_with_signals
from (
    select
        as_of_date,
        count(*) as accounts
    from {{ ref('int_accounts__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
    group by as_of_date
) as accounts
left join (
    select
        as_of_date,
        count(*) as accounts
    from {{ ref('sig_' ~ family) }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
    group by as_of_date
) as signals
    on accounts.as_of_date = signals.as_of_date
where accounts.accounts is distinct from signals.accounts
{{ 'union all' if not loop.last }}
{% endfor %}
