{#
    A query of one row per scored account and as_of_date: what the rules of these sets read, side by side.
    `goal_<signal>` is the account's own threshold, `uses_<signal>` is false where a feed is switched off,
    `is_renewal_unknown` tells an unknown renewal from one that is not there; `is_customer_unknown` is true where it is
    not known whether the account still is one. `rechecked`: the signals of the rechecked
    day as they are known now; what is known, in use or a goal then stays as it was told.
#}
{% macro rule_inputs(rule_sets, rechecked=false) %}
{% set signals = rule_signals(rule_sets) %}
with

accounts as (

    select * from {{ ref('int_accounts__as_of') }}

),

signal_states as (

    select
        as_of_date,
        {% for signal in signals %}
        bool_or(is_used) filter (where signal = '{{ signal }}') as uses_{{ signal }},
        {% endfor %}
        bool_or(is_used) filter (where signal = 'days_to_renewal') as uses_renewal,
        bool_or(is_used and not is_known) filter (where signal = 'days_to_renewal') as is_renewal_unknown
    from {{ ref('int_signal_states') }}
    group by as_of_date

),

goals as (

    select
        {% for signal in signals %}
        cast(max(target) filter (where signal = '{{ signal }}') as double) as goal_{{ signal }},
        {% endfor %}
        account_id,
        as_of_date
    from {{ ref('int_goals__as_of') }}
    group by account_id, as_of_date

),

{#- parsing names every family; the view joins those that a rule reads: all have the same rows -#}
{% set families = ['usage', 'adoption', 'support', 'billing', 'comms', 'relationship', 'value', 'sentiment'] -%}
{% if execute -%}
    {% set families = seed_rows(
        "select distinct family from seeds.signals where signal in ('" ~ signals | join("', '") ~ "') order by family"
    ) | map(attribute='family') | list -%}
{% endif -%}
{% for family in families %}
{{ family }} as (

    {%- set told = ref('sig_' ~ family) %}
    select * from {{ rechecked_relation(told) if rechecked else told }}

),

{% endfor -%}
final as (

    select
        accounts.account_id,
        accounts.as_of_date,
        accounts.segment,
        {% for signal in signals %}
        {{ signal }},
        signal_states.uses_{{ signal }},
        goals.goal_{{ signal }},
        {% endfor %}
        signal_states.is_renewal_unknown
        or (signal_states.uses_renewal and {{ is_unknown_of_account('unknown_days', 'days_to_renewal') }})
            as is_renewal_unknown,
        coalesce(unknown_days.is_customer_unknown, false) as is_customer_unknown,
        contradictions.reason as contradiction
    from accounts
    inner join signal_states
        on accounts.as_of_date = signal_states.as_of_date
    {#- every account-day is in every family: a left join says the same and spares engines the search for an order #}
    {% for family in families %}
    left join {{ family }}
        on
            accounts.account_id = {{ family }}.account_id
            and accounts.as_of_date = {{ family }}.as_of_date
    {% endfor %}
    left join goals
        on
            accounts.account_id = goals.account_id
            and accounts.as_of_date = goals.as_of_date
    left join {{ ref('int_account_unknown_days') }} as unknown_days
        on
            accounts.account_id = unknown_days.account_id
            and accounts.as_of_date = unknown_days.as_of_date
    left join {{ ref('int_contradictions__as_of') }} as contradictions
        on
            accounts.account_id = contradictions.account_id
            and accounts.as_of_date = contradictions.as_of_date

)

select * from final
{% endmacro %}
