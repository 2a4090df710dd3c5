{#
    The results of the rules of a rule set, one row per row of `evaluations` (the name of a relation with the columns of
    int_rule_evaluations, or a query in brackets) that is the set's, and rule that speaks for the account's segment. The
    one place where results are put into words. What a rule's row in the seeds says is a row of `variants` here, and put
    into words by the same expressions for all: a question about one account spends its time on reading expressions, not
    on rows.
#}
{% macro rule_set_results(rule_set, evaluations, labels) %}
{% set variants = rule_variants(rule_set, labels) %}
{% set positions = variants['positions'] %}
{% set has_weights = rule_set['rules'] | selectattr('has_weight') | list | length > 0 %}
with

variants ({{ variants['columns'] | join(', ') }}) as (

    values
    {% for row in variants['rows'] %}
    ({{ row | join(', ') }}){{ ',' if not loop.last }}
    {% endfor %}

),

chosen as (

    select
        evaluations.account_id,
        evaluations.as_of_date,
        evaluations.rule_set,
        evaluations.is_renewal_unknown,
        {% if has_weights %}
        evaluations.days_to_renewal,
        {% endif %}
        variants.*,
        case variants.rule_number
            {% for rule in rule_set['rules'] %}
            when {{ rule['rule_number'] }} then case
                when not {{ rule['rule_id'] }}_is_on then 'off'
                when {{ rule['rule_id'] }}_is_true then 'true'
                when not {{ rule['rule_id'] }}_is_true then 'false'
                else 'unknown'
            end
            {% endfor %}
        end as result,
        {% for name in ['points', 'low', 'high'] %}
        cast(case variants.rule_number
            {% for rule in rule_set['rules'] %}
            when {{ rule['rule_number'] }} then {{ rule['rule_id'] }}_{{ name }}
            {% endfor %}
        end as decimal(18, 6)) as {{ 'points' if name == 'points' else 'points_' ~ name }},
        {% endfor %}
        {% for n in positions %}
        cast({{ by_rule(rule_set, n, '') }} as double) as value_{{ n }},
        cast({{ by_rule(rule_set, n, 'goal_') }} as double) as goal_{{ n }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ evaluations }} as evaluations
    inner join variants as variants
        on variants.spoken_segment
            = {{ spoken_segment(rule_set) }}
    where evaluations.rule_set = {{ quoted(rule_set['rule_set']) }}

),

weighed as (

    select
        *,
        {% for n in positions %}
        coalesce(goal_{{ n }}, cast(limit_{{ n }} as double)) as threshold_{{ n }},
        {% endfor %}
        {% if has_weights %}
        case
            when renewal_factor is null then cast(1 as decimal(18, 6))
            when is_renewal_unknown then null
            when days_to_renewal <= renewal_within_days then cast(renewal_factor as decimal(18, 6))
            else cast(1 as decimal(18, 6))
        end as weight
        {% else %}
        cast(1 as decimal(18, 6)) as weight
        {% endif %}
    from chosen

),

worded as (

    select
        *,
        {% for n in positions %}
        {{ format_number('value_' ~ n) }} as value_{{ n }}_text,
        {{ format_number('threshold_' ~ n) }} as threshold_{{ n }}_text,
        {% endfor %}
        {% if has_weights %}
        {{ signed_points('points * renewal_factor') }} as renewal_points_text,
        {{ format_number('days_to_renewal') }} as renewal_text,
        {% endif %}
        {{ signed_points('points') }} as points_text
    from weighed

),

results as (

    select
        -- ids
        account_id,
        as_of_date,
        rule_set,
        rule_id,

        -- result
        result,
        points,
        {{ held_to_scale('points_low') }} as points_low,
        {{ held_to_scale('points_high') }} as points_high,

        -- why
        signal_1 as signal,
        value_1 as observed_value,
        threshold_1 as threshold,
        {{ rule_conditions_told(positions) }} as conditions,
        goal_1 is not null as is_own_goal,
        weight,
        case result
            when 'off' then title || ': off, a feed that it needs is not used'
            when 'true' then {{ rule_evidence(positions, variants['templates']) }} || {{ rule_effect(has_weights) }}
            when 'unknown' then title || ': not known, missing ' || {{ missing_signals(positions, labels) }}
        end as evidence,
        cast(flag as {{ dbt.type_string() }}) as flag,
        rule_number,
        {{ quoted(rule_set['status']) }} as rule_set_status,
        '{{ rule_set['version'] }}' as rule_version
    from worded

)

select * from results
{% endmacro %}
