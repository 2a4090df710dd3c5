-- Grain: one row per scored account, as_of_date and rule set. For every rule n of the set, in the order of its id:
-- rn_is_on, rn_is_true (null: unknown), rn_points, rn_low and rn_high. SQL's own three-valued logic is the rules'.
-- depends_on: {{ ref('rule_sets') }}
-- depends_on: {{ ref('rules') }}
-- depends_on: {{ ref('rule_conditions') }}
{% set rule_sets = scoring_rule_sets() %}
{% set signals = rule_signals(rule_sets) %}
{% set most_rules = namespace(count=0) %}
{% for rule_set in rule_sets %}
    {% set most_rules.count = [most_rules.count, rule_set['rules'] | length] | max %}
{% endfor %}
with

inputs as (

    select * from {{ ref('int_rule_inputs') }}

),

{% for rule_set in rule_sets %}
evaluated_{{ loop.index }} as (

    select
        *,
        {% for rule in rule_set['rules'] %}
        {% set is_on = [] %}{% set is_true = [] %}{% set points = [] %}{% set low = [] %}{% set high = [] %}
        {% for variant in rule['variants'] %}
            {% set uses = [] %}{% set holds = [] %}
            {% for condition in variant['conditions'] %}
                {% do uses.append('uses_' ~ condition['signal']) %}
                {% do holds.append(condition_holds(condition)) %}
            {% endfor %}
            {% do is_on.append('(' ~ uses | join(' and ') ~ ')') %}
            {% do is_true.append('(' ~ holds | join(' and ') ~ ')') %}
            {% do points.append(variant_points(variant)) %}
            {% do low.append(variant_points_bound(variant, 'low')) %}
            {% do high.append(variant_points_bound(variant, 'high')) %}
        {% endfor %}
        {{ by_segment(rule, is_on, 'false') }} as {{ rule['column'] }}_is_on,
        {{ by_segment(rule, is_true, 'false') }} as {{ rule['column'] }}_is_true,
        {{ by_segment(rule, points) }} as {{ rule['column'] }}_full_points,
        {{ by_segment(rule, low) }} as {{ rule['column'] }}_least_points,
        {{ by_segment(rule, high) }} as {{ rule['column'] }}_most_points{{ ',' if not loop.last }}
        {% endfor %}
    from inputs

),

{% endfor -%}

{% for rule_set in rule_sets %}
results_{{ loop.index }} as (

    select
        account_id,
        as_of_date,
        {{ quoted(rule_set['rule_set']) }} as rule_set,
        segment,
        {% for signal in signals %}
        {{ signal }},
        goal_{{ signal }},
        {% endfor %}
        contradiction{{ ',' if most_rules.count }}
        {% for number in range(1, most_rules.count + 1) %}
        {% set column = 'r' ~ number %}
        {% if number <= rule_set['rules'] | length %}
        {{ column }}_is_on,
        case when {{ column }}_is_on then {{ column }}_is_true else false end as {{ column }}_is_true,
        case
            when {{ column }}_is_on and {{ column }}_is_true then {{ column }}_full_points
            else 0
        end as {{ column }}_points,
        case
            when not {{ column }}_is_on or not {{ column }}_is_true then 0
            when {{ column }}_is_true then {{ column }}_full_points
            else {{ column }}_least_points
        end as {{ column }}_low,
        case
            when not {{ column }}_is_on or not {{ column }}_is_true then 0
            when {{ column }}_is_true then {{ column }}_full_points
            else {{ column }}_most_points
        end as {{ column }}_high{{ ',' if not loop.last }}
        {% else %}
        false as {{ column }}_is_on,
        false as {{ column }}_is_true,
        0 as {{ column }}_points,
        0 as {{ column }}_low,
        0 as {{ column }}_high{{ ',' if not loop.last }}
        {% endif %}
        {% endfor %}
    from evaluated_{{ loop.index }}

),

{% endfor -%}
final as (

    {% for rule_set in rule_sets %}
    select * from results_{{ loop.index }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
