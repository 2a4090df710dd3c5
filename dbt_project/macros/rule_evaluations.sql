{#
    A query of one row per row of `inputs` (a query with the columns of int_rule_inputs) and rule set. For every rule:
    <rule>_is_on, <rule>_is_true (null: unknown), and <rule>_points, _low and _high: what it adds, and the least and the
    most that it still could. The one place where rules are evaluated. Each rule set reads the inputs by itself: what two
    CTEs share is held whole, and a question about one day would read every day. No row where there is no rule set.
#}
{% macro rule_evaluations(rule_sets, inputs) %}
{% if not rule_sets %}{{ return(inputs ~ '\nwhere false') }}{% endif %}
{% set signals = rule_signals(rule_sets) %}
{% set all_rules = [] %}
{% for rule_set in rule_sets %}
    {% for rule in rule_set['rules'] if rule['rule_id'] not in all_rules %}
        {% do all_rules.append(rule['rule_id']) %}
    {% endfor %}
{% endfor %}
with

{% for rule_set in rule_sets %}
evaluated_{{ loop.index }} as (

    select
        *,
        {% for rule in rule_set['rules'] %}
        {% set is_on = [] %}{% set is_true = [] %}{% set points = [] %}{% set bounds = {} %}
        {% for name in ['true_low', 'true_high', 'least', 'most'] %}{% do bounds.update({name: []}) %}{% endfor %}
        {% for variant in rule['variants'] %}
            {% set uses = [] %}{% set holds = [] %}
            {% for condition in variant['conditions'] %}
                {% do uses.append('uses_' ~ condition['signal']) %}
                {% do holds.append(condition_holds(condition)) %}
            {% endfor %}
            {% do is_on.append('(' ~ uses | join(' and ') ~ ')') %}
            {% do is_true.append('(' ~ holds | join(' and ') ~ ')') %}
            {% set own_points = variant_points(variant) %}
            {% do points.append(with_renewal_weight(variant, own_points)) %}
            {% do bounds['true_low'].append(with_renewal_weight(variant, own_points, 'low')) %}
            {% do bounds['true_high'].append(with_renewal_weight(variant, own_points, 'high')) %}
            {% do bounds['least'].append(with_renewal_weight(variant, variant_points_bound(variant, 'low'), 'low')) %}
            {% do bounds['most'].append(with_renewal_weight(variant, variant_points_bound(variant, 'high'), 'high')) %}
        {% endfor %}
        {{ by_segment(rule, is_on, 'false') }} as {{ rule['rule_id'] }}_is_on,
        {{ by_segment(rule, is_true, 'false') }} as {{ rule['rule_id'] }}_is_true,
        {{ by_segment(rule, points) }} as {{ rule['rule_id'] }}__true,
        {% if rule['has_weight'] %}
        {{ by_segment(rule, bounds['true_low']) }} as {{ rule['rule_id'] }}__true_low,
        {{ by_segment(rule, bounds['true_high']) }} as {{ rule['rule_id'] }}__true_high,
        {% endif %}
        {{ by_segment(rule, bounds['least']) }} as {{ rule['rule_id'] }}__least,
        {{ by_segment(rule, bounds['most']) }} as {{ rule['rule_id'] }}__most{{ ',' if not loop.last }}
        {% endfor %}
    from ({{ inputs }}) as inputs

),

{% endfor -%}

{% for rule_set in rule_sets %}
{% set own_rules = rule_set['rules'] | map(attribute='rule_id') | list %}
{% set weighted_rules = rule_set['rules'] | selectattr('has_weight') | map(attribute='rule_id') | list %}
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
        {% for rule_id in all_rules %}
        {% if rule_id in own_rules %}
        {% set is_weighted = rule_id in weighted_rules %}
        {{ rule_id }}_is_on,
        case when {{ rule_id }}_is_on then {{ rule_id }}_is_true else false end as {{ rule_id }}_is_true,
        case
            when {{ rule_id }}_is_on and {{ rule_id }}_is_true then {{ rule_id }}__true
            else 0
        end as {{ rule_id }}_points,
        case
            when not {{ rule_id }}_is_on or not {{ rule_id }}_is_true then 0
            when {{ rule_id }}_is_true then {{ rule_id }}__true{{ '_low' if is_weighted }}
            else {{ rule_id }}__least
        end as {{ rule_id }}_low,
        case
            when not {{ rule_id }}_is_on or not {{ rule_id }}_is_true then 0
            when {{ rule_id }}_is_true then {{ rule_id }}__true{{ '_high' if is_weighted }}
            else {{ rule_id }}__most
        end as {{ rule_id }}_high,
        {% else %}
        false as {{ rule_id }}_is_on,
        false as {{ rule_id }}_is_true,
        0 as {{ rule_id }}_points,
        0 as {{ rule_id }}_low,
        0 as {{ rule_id }}_high,
        {% endif %}
        {% endfor %}
        is_renewal_unknown,
        is_customer_unknown,
        contradiction
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
{% endmacro %}
