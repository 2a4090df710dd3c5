-- Grain: one row per as-of date and rank that a scored rule asks for: the value by which the lowest or highest percent
-- of that day's customers is reached: accounts that are not known to be on no paid plan. `limit_value` is null where few
-- have a value, or many share that one.
-- Stored, so that a question about one account sorts no others; a rank that is new is computed for every stored date.
-- depends_on: {{ [ref('settings'), ref('rule_sets'), ref('rules'), ref('rule_conditions'), ref('signals')] | join(', ') }}
{% for family in signal_families() -%}
-- depends_on: {{ ref('sig_' ~ family) }}
{% endfor -%}
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['as_of_date', 'rank_limit']) }}
{% set conditions = scoring_rule_sets() | map(attribute='rules') | sum(start=[]) | map(attribute='conditions') | sum(start=[]) -%}
{% set ranks = conditions | selectattr('is_rank') | unique(attribute='limit') | list -%}
with

customer_values as (

    {% for rank in ranks -%}
    select
        signals.as_of_date,
        '{{ rank['limit'] }}' as rank_limit,
        {{ literal(rank['threshold']) }} as percent,
        list(
            cast(signals.{{ rank['signal'] }} as double)
            order by signals.{{ rank['signal'] }}{{ ' desc' if rank['operator'] == 'highest' }}
        ) as worst_first
    from {{ ref('sig_' ~ rank['family']) }} as signals
    inner join {{ ref('sig_billing') }} as billing
        on
            signals.account_id = billing.account_id
            and signals.as_of_date = billing.as_of_date
    where
        coalesce(billing.is_paid_plan, 1) = 1
        and signals.{{ rank['signal'] }} is not null
        {%- if is_incremental() %}
        and (
            signals.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
            or signals.as_of_date not in (select as_of_date from {{ this }} where rank_limit = '{{ rank['limit'] }}')
        )
        {%- endif %}
    group by signals.as_of_date
    {{ 'union all' if not loop.last }}
    {% else -%}
    select
        null::date as as_of_date,
        null::varchar as rank_limit,
        null::bigint as percent,
        null::double[] as worst_first
    where false
    {% endfor %}

),

reached as (

    select
        as_of_date,
        rank_limit,
        worst_first,
        worst_first[cast(ceil(len(worst_first) * percent / 100) as bigint)] as reached_value
    from customer_values

),

final as (

    select
        as_of_date,
        rank_limit,
        case
            when
                len(worst_first) >= {{ setting('calibrate_least_accounts') }}
                and 100 * len([one for one in worst_first if one = reached_value])
                <= {{ setting('calibrate_ties_pct') }} * len(worst_first)
                then reached_value
        end as limit_value
    from reached

)

select * from final
