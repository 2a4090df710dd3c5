{#
    What rules read: one row per scored account and as_of_date. `uses_<signal>` is false where a feed that the signal
    needs is not used, `goal_<signal>` is the account's own threshold; `is_renewal_unknown` marks an unknown renewal,
    other than one that is not there. `limit_<rank>_<percent>_<signal>` is the value by which the lowest or highest percent
    of that day's customers is reached: accounts that are not known to be on no paid plan. Null where few have a value,
    or many share that one.
    `is_restated`: the signals of the restated date as they are known now; what is known, in use, a goal or a limit
    stays as recorded.
#}
{% macro rule_inputs(is_restated=false) %}
{% set signals = ['days_to_renewal'] -%}
{% set ranks = {} -%}
{% for rule_set in scoring_rule_sets() -%}
    {% for rule in rule_set['rules'] -%}
        {% do signals.extend(rule['conditions'] | map(attribute='signal')) -%}
        {% for condition in rule['conditions'] if condition['is_rank'] -%}
            {% do ranks.update({condition['limit']: condition}) -%}
        {% endfor -%}
    {% endfor -%}
{% endfor -%}
{% set signals = signals | unique | sort -%}
with

accounts as (

    select * from {{ ref('int_scored_accounts') }}

),

signal_states as (

    select
        as_of_date,
        {% for signal in signals -%}
        bool_or(is_used) filter (where signal = '{{ signal }}') as uses_{{ signal }},
        {% endfor -%}
        bool_or(is_used and not is_known) filter (where signal = 'days_to_renewal') as is_renewal_unknown
    from {{ ref('int_signal_states') }}
    group by as_of_date

),

goals as (

    select
        {% for signal in signals -%}
        cast(max(target) filter (where signal = '{{ signal }}') as double) as goal_{{ signal }},
        {% endfor -%}
        account_id,
        as_of_date
    from {{ ref('int_goals__as_of') }}
    group by account_id, as_of_date

),

{% for limit, condition in ranks.items() -%}
values_of_{{ limit }} as (

    select
        signals.as_of_date,
        list(
            cast(signals.{{ condition['signal'] }} as double)
            order by signals.{{ condition['signal'] }}{{ ' desc' if condition['operator'] == 'highest' }}
        ) as worst_first
    from {{ ref('sig_' ~ condition['family']) }} as signals
    inner join {{ ref('sig_billing') }} as billing
        on
            signals.account_id = billing.account_id
            and signals.as_of_date = billing.as_of_date
    where
        coalesce(billing.is_paid_plan, 1) = 1
        and signals.{{ condition['signal'] }} is not null
    group by signals.as_of_date

),

days_of_{{ limit }} as (

    select
        as_of_date,
        worst_first[cast(ceil(len(worst_first) * {{ literal(condition['threshold']) }} / 100) as bigint)] as reached,
        case
            when
                len(worst_first) >= {{ setting('calibrate_least_accounts') }}
                and 100 * len([one for one in worst_first if one = reached])
                <= {{ setting('calibrate_ties_pct') }} * len(worst_first)
                then reached
        end as {{ limit }}
    from values_of_{{ limit }}

),

{% endfor -%}
final as (

    select
        accounts.account_id,
        accounts.as_of_date,
        accounts.segment,
        {% for signal in signals -%}
        {{ signal }},
        uses_{{ signal }},
        goal_{{ signal }},
        {% endfor -%}
        {% for limit in ranks -%}
        {{ limit }},
        {% endfor -%}
        signal_states.is_renewal_unknown
        or (uses_days_to_renewal and {{ is_unknown_of_account('accounts', 'days_to_renewal') }}) as is_renewal_unknown
    from accounts
    inner join signal_states
        on accounts.as_of_date = signal_states.as_of_date
    {# every scored account and day is in every family; get_incremental_replace_window_and_restated_day_sql restates -#}
    {% for family in signal_families() -%}
    {% set signals_of_family = ref('sig_' ~ family) -%}
    left join {{ 'intermediate.' ~ signals_of_family.identifier ~ '__restated' if is_restated else signals_of_family }} as {{ family }}
        on
            accounts.account_id = {{ family }}.account_id
            and accounts.as_of_date = {{ family }}.as_of_date
    {% endfor -%}
    left join goals
        on
            accounts.account_id = goals.account_id
            and accounts.as_of_date = goals.as_of_date
    {% for limit in ranks -%}
    left join days_of_{{ limit }}
        on accounts.as_of_date = days_of_{{ limit }}.as_of_date
    {% endfor -%}

)

select * from final
{% endmacro %}
