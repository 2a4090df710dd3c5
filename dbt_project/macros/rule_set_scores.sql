{#
    The score of a rule set, one row per row of `evaluations` (the name of a relation with the columns of
    int_rule_evaluations, or a query in brackets) that is the set's. The one place where scores are made.
#}
{% macro rule_set_scores(rule_set, evaluations) %}
with

summed as (

    select
        account_id,
        as_of_date,
        rule_set,
        contradiction,
        coalesce(is_customer_unknown, false) as is_customer_unknown,
        {% for name in ['points', 'low', 'high'] %}
        cast({{ rule_set['base_score'] }} as decimal(18, 6))
        {%- for rule in rule_set['rules'] %} + {{ rule['rule_id'] }}_{{ name }}{% endfor %} as total_{{ name }},
        {% endfor %}
        {% for possible in [false, true] %}
        least(3
            {%- for rule in rule_set['rules'] -%}
            {%- set ranks = [] -%}
            {%- for variant in rule['variants'] -%}
                {%- do ranks.append(bucket_rank(quoted(variant['bucket'])) if variant['bucket'] else '3') -%}
            {%- endfor -%}
            {%- if rule['variants'] | selectattr('bucket') | list %},
            case
                when {{ 'coalesce(' ~ rule['rule_id'] ~ '_is_true, true)' if possible else rule['rule_id'] ~ '_is_true' }}
                    then {{ by_segment(rule, ranks, '3') }}
                else 3
            end
            {%- endif -%}
            {%- endfor -%}
        ) as {{ 'possible_cap_rank' if possible else 'cap_rank' }},
        {% endfor %}
        {% set reviews = [] %}
        {% for rule in rule_set['rules'] %}
            {% for variant in rule['variants'] if variant['needs_review'] or variant['effect'] == 'review' %}
                {% set asks %}
                case
                    when {{ rule['rule_id'] }}_is_true
                    {%- if variant['segment'] %} and segment = {{ quoted(variant['segment']) }}{% endif %}
                        then {{ quoted(variant['title']) }}
                end
                {% endset %}
                {% do reviews.append(asks) %}
            {% endfor %}
        {% endfor %}
        nullif(concat_ws('; '{% for asks in reviews %}, {{ asks }}{% endfor %}, null), '') as review_rules,
        {% set flags = {} %}
        {% for rule in rule_set['rules'] %}
            {% for variant in rule['variants'] if variant['flag'] %}
                {% do flags.setdefault(variant['flag'], []).append(
                    '(' ~ rule['rule_id'] ~ '_is_true'
                    ~ (' and segment = ' ~ quoted(variant['segment']) if variant['segment'] else '') ~ ')'
                ) %}
            {% endfor %}
        {% endfor %}
        nullif(concat_ws(', '
            {%- for flag in flags | sort %}, case when {{ flags[flag] | join(' or ') }} then {{ quoted(flag) }} end
            {%- endfor %}, null), '') as flags,
        nullif(concat_ws(', '
            {%- for signal in rule_signals([rule_set]) %}
            {%- set hangs_on_it = [] -%}
            {%- for rule in rule_set['rules'] -%}
                {%- set asks = [] -%}{%- set weighs = [] -%}
                {%- for variant in rule['variants'] -%}
                    {%- do asks.append(signal in variant['conditions'] | map(attribute='signal') | list) -%}
                    {%- do weighs.append(signal == 'days_to_renewal' and variant['renewal_factor'] is not none) -%}
                {%- endfor -%}
                {%- if true in asks -%}
                    {%- do hangs_on_it.append(
                        '(' ~ signal ~ ' is null and ' ~ rule['rule_id'] ~ '_is_true is null and '
                        ~ by_segment(rule, asks, 'false') ~ ')'
                    ) -%}
                {%- endif -%}
                {%- if true in weighs -%}
                    {%- do hangs_on_it.append(
                        '(is_renewal_unknown and coalesce(' ~ rule['rule_id'] ~ '_is_true, true) and '
                        ~ by_segment(rule, weighs, 'false') ~ ')'
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- if signal == 'is_paid_plan' %}{% do hangs_on_it.append('coalesce(is_customer_unknown, false)') %}{% endif -%},
            case when {{ hangs_on_it | join(' or ') }} then '{{ signal }}' end
            {%- endfor %}
            {%- if 'is_paid_plan' not in rule_signals([rule_set]) %},
            case when is_customer_unknown then 'is_paid_plan' end
            {%- endif %}, null), '') as unknown_signals,
        0 {%- for rule in rule_set['rules'] %} + case when {{ rule['rule_id'] }}_is_on then 1 else 0 end
        {%- endfor %} as rules_on,
        0 {%- for rule in rule_set['rules'] %}
        + case when {{ rule['rule_id'] }}_is_on and {{ rule['rule_id'] }}_is_true is not null then 1 else 0 end
        {%- endfor %} as rules_known
    from {{ evaluations }} as evaluations
    where rule_set = {{ quoted(rule_set['rule_set']) }}

),

ranked as (

    select
        *,
        least({{ score_rank('total_points', rule_set) }}, cap_rank) as rank,
        least({{ score_rank('total_low', rule_set) }}, possible_cap_rank) as worst_rank,
        least({{ score_rank('total_high', rule_set) }}, cap_rank) as best_rank,
        {{ quoted(rule_set['status']) }} as rule_set_status,
        '{{ rule_set['version'] }}' as rule_version,
        cast({{ rule_set['base_score'] }} as decimal(18, 6)) as base_score
    from summed

),

final as (

    select
        -- ids
        account_id,
        as_of_date,
        rule_set,

        -- score
        cast({{ clamped('total_points') }} as double) as score,
        cast({{ clamped('total_low') }} as double) as score_low,
        cast({{ clamped('total_high') }} as double) as score_high,
        {{ bucket_name('rank') }} as bucket,
        {{ bucket_name('worst_rank') }} as bucket_low,
        {{ bucket_name('best_rank') }} as bucket_high,

        -- decision
        case
            when contradiction is not null then 'conflict'
            when worst_rank <> best_rank or is_customer_unknown then 'undecided'
            else 'decided'
        end as decision,
        contradiction as conflict_reason,
        unknown_signals,
        review_rules,
        flags,
        case when rules_on > 0 then cast(100 * rules_known as double) / rules_on end as coverage_pct,

        -- rule set
        base_score,
        total_points - base_score as points,
        rule_set_status,
        rule_version
    from ranked

)

select * from final
{% endmacro %}
