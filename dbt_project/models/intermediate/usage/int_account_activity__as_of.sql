-- Grain: one row per account and as_of_date, for every account that may be scored on a day of this build: the signals
-- of seeds/signals.csv that count product events, and `last_date__<measure>` where one of them counts days since.
-- Many as-of dates cost one pass: changes run up over the days on which anything changes, and only then are there rows
-- of every day. What happened in a window is the total of its last day less that of the day before it.
-- depends_on: {{ ref('signals') }}
{% set signals = event_signals() -%}
{% set series = signals | map(attribute='series') | unique | list -%}
with

-- since the first day, on each day on which something changes
totals as (

    select
        account_number,
        change_date as valid_from_date,
        {% for name in series %}
        {{ 'max' if name.startswith('last_date') else 'sum' }}({{ name }}) over until_now as {{ name }},
        {% endfor %}
        coalesce({{ add_days('lead(change_date) over changes_in_order', -1) }}, {{ as_of_end() }}) as valid_to_date
    from {{ ref('int_activity_changes') }}
    window
        changes_in_order as (partition by account_number order by change_date nulls last),
        until_now as (
            partition by account_number
            order by change_date nulls last
            rows between unbounded preceding and current row
        )

),

account_calendar as (

    select
        *,
        {{ each_day('valid_from_date', 'valid_to_date') }} as day
    from totals

),

-- the calendar has every day of an account, so the total of n days ago is that of n rows before
windowed as (

    select
        account_number,
        {% for signal in signals %}
        {% set total, days = signal['series'], signal['window_days'] %}
        {% if signal['aggregate'] in ['events', 'active_days', 'change_pct'] %}
        {{ total }} - lag({{ total }}, {{ days }}, 0) over days_of_account as {{ signal['signal'] }},
        {% endif %}
        {% if signal['aggregate'] == 'change_pct' %}
        lag({{ total }}, {{ days }}, 0) over days_of_account
        - lag({{ total }}, {{ 2 * days }}, 0) over days_of_account as {{ signal['signal'] }}__before,
        {% endif %}
        {% endfor %}
        {% for name in series if name.split('__')[0] in ['users', 'names', 'milestones', 'last_date'] %}
        {{ name }},
        {% endfor %}
        day as as_of_date
    from account_calendar
    window days_of_account as (partition by account_number order by day nulls last)

),

final as (

    select
        accounts.account_id,
        {% for signal in signals %}
        {% if signal['aggregate'] == 'change_pct' %}
        {% set before, recent = 'windowed.' ~ signal['signal'] ~ '__before', 'windowed.' ~ signal['signal'] -%}
        {{ pct_change(before, recent) }} as {{ signal['signal'] }},
        {% elif signal['aggregate'] in ['events', 'active_days'] %}
        cast(windowed.{{ signal['signal'] }} as bigint) as {{ signal['signal'] }},
        {% elif signal['aggregate'] != 'days_since' %}
        cast(windowed.{{ signal['series'] }} as bigint) as {{ signal['signal'] }},
        {% endif %}
        {% endfor %}
        {% for name in series if name.startswith('last_date') %}
        windowed.{{ name }},
        {% endfor %}
        windowed.as_of_date
    from windowed
    inner join {{ ref('int_activity_accounts') }} as accounts
        on windowed.account_number = accounts.account_number
    where
        windowed.as_of_date >= {{ signals_start() }}
        and accounts.account_id = accounts.counted_account_id

)

select * from final
