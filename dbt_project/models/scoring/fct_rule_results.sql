-- Grain: one row per scored account, as_of_date, rule set and rule that speaks for the account's segment.
-- The points of a rule set's rows plus its base are the score before clamping, exactly.
-- What differs from rule to rule is chosen first and put into words once, by the same expressions for all rules: a
-- question about one account spends its time on reading such expressions, not on rows.
-- depends_on: {{ ref('int_rule_evaluations') }}
{% set rule_sets = scoring_rule_sets() %}
{% set labels = signal_labels() %}
with

{% for rule_set in rule_sets %}
{% set set_number = loop.index %}
{% set counts = [] %}
{% for rule in rule_set['rules'] %}{% for variant in rule['variants'] %}
    {% do counts.append(variant['conditions'] | length) %}
{% endfor %}{% endfor %}
{% set most_conditions = counts | max %}
{#- of every rule and variant: what it reads, and how it is said -#}
{% set chosen = {'signal': [], 'conditions': [], 'weight': [], 'factor': [], 'flag': [], 'applies': [], 'sentence': [],
    'off': [], 'missing': []} %}
{% set values = {} %}{% set thresholds = {} %}{% set goals = {} %}
{% for n in range(most_conditions) %}
    {% do values.update({n: []}) %}{% do thresholds.update({n: []}) %}{% do goals.update({n: []}) %}
{% endfor %}
{% for rule in rule_set['rules'] %}
    {% for name in chosen %}{% do chosen[name].append([]) %}{% endfor %}
    {% for n in range(most_conditions) %}
        {% do values[n].append([]) %}{% do thresholds[n].append([]) %}{% do goals[n].append([]) %}
    {% endfor %}
    {% for variant in rule['variants'] %}
        {% do chosen['signal'][-1].append(quoted(variant['conditions'][0]['signal'])) %}
        {% do chosen['conditions'][-1].append(
            rule_conditions_told(variant) if variant['conditions'] | length > 1 else 'null'
        ) %}
        {% do chosen['weight'][-1].append(renewal_weight(variant)) %}
        {% do chosen['factor'][-1].append(
            'null' if variant['renewal_factor'] is none else 'cast(' ~ variant['renewal_factor'] ~ ' as decimal(18, 6))'
        ) %}
        {% do chosen['flag'][-1].append(quoted(variant['flag']) if variant['flag'] else 'null') %}
        {% do chosen['applies'][-1].append('true') %}
        {% do chosen['sentence'][-1].append(rule_evidence(variant, labels) ~ ' || ' ~ rule_effect(variant)) %}
        {% do chosen['off'][-1].append(quoted(variant['title'] ~ ': off, a feed that it needs is not used')) %}
        {% do chosen['missing'][-1].append(
            quoted(variant['title'] ~ ': not known, missing ') ~ ' || ' ~ missing_signals(variant, labels)
        ) %}
        {% for n in range(most_conditions) %}
            {% set condition = variant['conditions'][n] if n < variant['conditions'] | length else none %}
            {% do values[n][-1].append('cast(' ~ condition['signal'] ~ ' as double)' if condition else 'null') %}
            {% do thresholds[n][-1].append(condition_threshold(condition) if condition else 'null') %}
            {% do goals[n][-1].append('goal_' ~ condition['signal'] ~ ' is not null' if condition else 'null') %}
        {% endfor %}
    {% endfor %}
{% endfor %}
numbers_{{ set_number }} (rule_number) as (

    values
    {% for rule in rule_set['rules'] %}
    ({{ loop.index }}){{ ',' if not loop.last }}
    {% endfor %}

),

chosen_{{ set_number }} as (

    select
        evaluations.account_id,
        evaluations.as_of_date,
        evaluations.rule_set,
        evaluations.segment,
        evaluations.is_renewal_unknown,
        {% if rule_set['rules'] | selectattr('has_weight') | list %}
        evaluations.days_to_renewal,
        {% endif %}
        rule_number,
        case rule_number
            {% for rule in rule_set['rules'] %}
            when {{ loop.index }} then case
                when not {{ rule['rule_id'] }}_is_on then 'off'
                when {{ rule['rule_id'] }}_is_true then 'true'
                when not {{ rule['rule_id'] }}_is_true then 'false'
                else 'unknown'
            end
            {% endfor %}
        end as result,
        {% for name in ['points', 'low', 'high'] %}
        cast(case rule_number
            {% for rule in rule_set['rules'] %}
            when {{ loop.index }} then {{ rule['rule_id'] }}_{{ name }}
            {% endfor %}
        end as decimal(18, 6)) as {{ 'points' if name == 'points' else 'points_' ~ name }},
        {% endfor %}
        {% for n in range(most_conditions) %}
        cast({{ by_rule(rule_set, values[n]) }} as double) as value_{{ n + 1 }},
        cast({{ by_rule(rule_set, thresholds[n]) }} as double) as threshold_{{ n + 1 }},
        cast({{ by_rule(rule_set, goals[n]) }} as boolean) as is_own_goal_{{ n + 1 }},
        {% endfor %}
        {{ by_rule(rule_set, chosen['weight']) }} as weight,
        cast({{ by_rule(rule_set, chosen['factor']) }} as decimal(18, 6)) as renewal_factor
    from {{ ref('int_rule_evaluations') }} as evaluations
    cross join numbers_{{ set_number }}
    where
        evaluations.rule_set = {{ quoted(rule_set['rule_set']) }}
        and {{ by_rule(rule_set, chosen['applies'], 'false') }}

),

worded_{{ set_number }} as (

    select
        *,
        {% for n in range(most_conditions) %}
        {{ format_number('value_' ~ (n + 1)) }} as value_{{ n + 1 }}_text,
        {{ format_number('threshold_' ~ (n + 1)) }} as threshold_{{ n + 1 }}_text,
        {% endfor %}
        {% if rule_set['rules'] | selectattr('has_weight') | list %}
        {{ signed_points('points * renewal_factor') }} as renewal_points_text,
        {{ format_number('days_to_renewal') }} as renewal_text,
        {% endif %}
        {{ signed_points('points') }} as points_text
    from chosen_{{ set_number }}

),

results_{{ set_number }} as (

    select
        -- ids
        account_id,
        as_of_date,
        rule_set,
        case rule_number
            {% for rule in rule_set['rules'] %}
            when {{ loop.index }} then {{ quoted(rule['rule_id']) }}
            {% endfor %}
        end as rule_id,

        -- result
        result,
        points,
        points_low,
        points_high,

        -- why
        {{ by_rule(rule_set, chosen['signal']) }} as signal,
        value_1 as observed_value,
        threshold_1 as threshold,
        cast({{ by_rule(rule_set, chosen['conditions']) }} as {{ dbt.type_string() }}) as conditions,
        is_own_goal_1 as is_own_goal,
        weight,
        case result
            when 'off' then {{ by_rule(rule_set, chosen['off']) }}
            when 'true' then {{ by_rule(rule_set, chosen['sentence']) }}
            when 'unknown' then {{ by_rule(rule_set, chosen['missing']) }}
        end as evidence,
        cast({{ by_rule(rule_set, chosen['flag']) }} as {{ dbt.type_string() }}) as flag,
        rule_number,
        {{ quoted(rule_set['status']) }} as rule_set_status,
        '{{ rule_set['version'] }}' as rule_version
    from worded_{{ set_number }}

),

{% endfor -%}
final as (

    {% for rule_set in rule_sets %}
    select * from results_{{ loop.index }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
