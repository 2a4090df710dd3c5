-- Grain: one row per scored account, as_of_date, rule set and rule that speaks for the account's segment.
-- The points of a rule set's rows plus its base are the score before clamping, exactly.
-- depends_on: {{ ref('int_rule_evaluations') }}
{% set rule_sets = scoring_rule_sets() %}
{% set labels = signal_labels() %}
with

{% for rule_set in rule_sets %}
numbers_{{ loop.index }} (rule_number) as (

    values
    {% for rule in rule_set['rules'] %}
    ({{ loop.index }}){{ ',' if not loop.last }}
    {% endfor %}

),

results_{{ loop.index }} as (

    select
        -- ids
        evaluations.account_id,
        evaluations.as_of_date,
        evaluations.rule_set,
        case rule_number
            {% for rule in rule_set['rules'] %}
            when {{ loop.index }} then {{ quoted(rule['rule_id']) }}
            {% endfor %}
        end as rule_id,

        -- result
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

        -- why
        case rule_number
            {% for rule in rule_set['rules'] %}
            {% set signals = [] %}
            {% for variant in rule['variants'] %}
                {% do signals.append(quoted(variant['conditions'][0]['signal'])) %}
            {% endfor %}
            when {{ loop.index }} then {{ by_segment(rule, signals) }}
            {% endfor %}
        end as signal,
        case rule_number
            {% for rule in rule_set['rules'] %}
            {% set values = [] %}
            {% for variant in rule['variants'] %}
                {% do values.append('cast(' ~ variant['conditions'][0]['signal'] ~ ' as double)') %}
            {% endfor %}
            when {{ loop.index }} then {{ by_segment(rule, values) }}
            {% endfor %}
        end as observed_value,
        case rule_number
            {% for rule in rule_set['rules'] %}
            {% set thresholds = [] %}
            {% for variant in rule['variants'] %}
                {% do thresholds.append(condition_threshold(variant['conditions'][0])) %}
            {% endfor %}
            when {{ loop.index }} then {{ by_segment(rule, thresholds) }}
            {% endfor %}
        end as threshold,
        cast(case rule_number
            {% for rule in rule_set['rules'] %}
            {% set told = [] %}
            {% for variant in rule['variants'] %}
                {% do told.append(rule_conditions_told(variant) if variant['conditions'] | length > 1 else 'null') %}
            {% endfor %}
            when {{ loop.index }} then {{ by_segment(rule, told) }}
            {% endfor %}
        end as {{ dbt.type_string() }}) as conditions,
        case rule_number
            {% for rule in rule_set['rules'] %}
            {% set goals = [] %}
            {% for variant in rule['variants'] %}
                {% do goals.append('goal_' ~ variant['conditions'][0]['signal'] ~ ' is not null') %}
            {% endfor %}
            when {{ loop.index }} then {{ by_segment(rule, goals) }}
            {% endfor %}
        end as is_own_goal,
        case rule_number
            {% for rule in rule_set['rules'] %}
            {% set weights = [] %}
            {% for variant in rule['variants'] %}{% do weights.append(renewal_weight(variant)) %}{% endfor %}
            when {{ loop.index }} then {{ by_segment(rule, weights) }}
            {% endfor %}
        end as weight,
        case rule_number
            {% for rule in rule_set['rules'] %}
            {% set sentences = [] %}
            {% for variant in rule['variants'] %}
                {% set sentence %}
                case
                    when not {{ rule['rule_id'] }}_is_on
                        then {{ quoted(variant['title'] ~ ': off, a feed that it needs is not used') }}
                    when {{ rule['rule_id'] }}_is_true
                        then {{ rule_evidence(variant, labels) }} || {{ rule_effect(variant, rule['rule_id'] ~ '_points') }}
                    when {{ rule['rule_id'] }}_is_true is null
                        then {{ quoted(variant['title'] ~ ': not known, missing ') }} || {{ missing_signals(variant, labels) }}
                end
                {% endset %}
                {% do sentences.append(sentence) %}
            {% endfor %}
            when {{ loop.index }} then {{ by_segment(rule, sentences) }}
            {% endfor %}
        end as evidence,
        cast(case rule_number
            {% for rule in rule_set['rules'] %}
            {% set flags = [] %}
            {% for variant in rule['variants'] %}
                {% do flags.append(quoted(variant['flag']) if variant['flag'] else 'null') %}
            {% endfor %}
            when {{ loop.index }} then {{ by_segment(rule, flags) }}
            {% endfor %}
        end as {{ dbt.type_string() }}) as flag,
        rule_number,
        {{ quoted(rule_set['status']) }} as rule_set_status,
        '{{ rule_set['version'] }}' as rule_version
    from {{ ref('int_rule_evaluations') }} as evaluations
    cross join numbers_{{ loop.index }}
    where
        evaluations.rule_set = {{ quoted(rule_set['rule_set']) }}
        and case rule_number
            {% for rule in rule_set['rules'] %}
            {% set applies = [] %}
            {% for variant in rule['variants'] %}{% do applies.append('true') %}{% endfor %}
            when {{ loop.index }} then {{ by_segment(rule, applies, 'false') }}
            {% endfor %}
        end

),

{% endfor -%}
final as (

    {% for rule_set in rule_sets %}
    select * from results_{{ loop.index }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
