{#
    What rules read: one row per scored account and as_of_date. `uses_<signal>` is false where a feed that the signal
    needs is not used, `goal_<signal>` is the account's own threshold; `is_renewal_unknown` marks an unknown renewal,
    other than one that is not there; `limit_<rank>_<percent>_<signal>` is that day's limit of int_rank_limits.
    `is_restated`: the signals of the restated date as they are known now; what is known, in use, a goal or a limit
    stays as recorded.
#}
{% macro rule_inputs(is_restated=false) %}
{% set conditions = scoring_rule_sets() | map(attribute='rules') | sum(start=[]) | map(attribute='conditions') | sum(start=[]) -%}
{% set signals = (['days_to_renewal'] + (conditions | map(attribute='signal') | list)) | unique | sort -%}
{% set ranks = conditions | selectattr('is_rank') | map(attribute='limit') | unique | list -%}
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

{% if ranks -%}
rank_limits as (

    pivot {{ ref('int_rank_limits') }}
    on rank_limit in ('{{ ranks | join("', '") }}')
    using max(limit_value)
    group by as_of_date

),

{% endif -%}
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
        {{ ranks | map('replace', 'limit_', 'rank_limits.limit_', 1) | join(', ') ~ ',' if ranks }}
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
    {% if ranks -%}
    left join rank_limits
        on accounts.as_of_date = rank_limits.as_of_date
    {% endif -%}

)

select * from final
{% endmacro %}
