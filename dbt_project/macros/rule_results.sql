{#
    What rules find: one row per row of `inputs` (a relation, or a query in brackets, with the columns of
    int_rule_inputs) and rule of these rule sets that applies to its segment. The one place where rules are evaluated.
    points_low and points_high are the least and the most that the rule could still add, given what is unknown.
    `is_unbounded`: it counts units of an unknown signal without a limit, so it could reach the end of the scale.
#}
{% macro rule_results(rule_sets, inputs) %}
with

inputs as (

    select * from {{ inputs }}

),

rules as (

    {% for rule_set in rule_sets %}
    {% set is_last_set = loop.last %}
    {% for rule in rule_set['rules'] %}
    {{ rule_select(rule_set, rule) }}
    {{ 'union all' if not (is_last_set and loop.last) }}
    {% endfor %}
    {% endfor %}

),

results as (

    select
        *,
        case
            when not is_on then 'off'
            when fires then 'true'
            when not fires then 'false'
            else 'unknown'
        end as result,
        -- what it adds where it fires; null where it counts units of a signal that is unknown
        case
            when effect <> 'points' then cast(0 as decimal(18, 6))
            when not per_unit then cast(points as decimal(18, 6))
            when max_points is null then cast(points * readings[1].value as decimal(18, 6))
            when readings[1].value is not null
                then cast(
                    greatest(-abs(max_points), least(abs(max_points), points * readings[1].value)) as decimal(18, 6)
                )
        end as amount,
        coalesce(abs(max_points), 100) as most_amount,
        -- how many times its points count; null where that is unknown
        cast(case
            when renewal_factor is null then 1
            when is_renewal_unknown then null
            when days_to_renewal <= renewal_within_days then renewal_factor
            else 1
        end as decimal(18, 6)) as weight
    from rules

),

bounds as (

    select
        *,
        case
            when result = 'true' then amount
            when result = 'unknown' then least(0, coalesce(amount, case
                when (points < 0 and can_be_positive) or (points > 0 and can_be_negative) then -most_amount
            end, 0))
            else 0
        end as amount_low,
        case
            when result = 'true' then amount
            when result = 'unknown' then greatest(0, coalesce(amount, case
                when (points > 0 and can_be_positive) or (points < 0 and can_be_negative) then most_amount
            end, 0))
            else 0
        end as amount_high,
        result = 'unknown' and amount is null and max_points is null as is_unbounded
    from results

)

select
    * exclude (points),
    {{ joined_list(
        "list_concat(
            case when result = 'unknown' then [reading.signal for reading in readings if reading.value is null] end,
            case when result in ('true', 'unknown') and weight is null then ['days_to_renewal'] end
        )"
    ) }} as missing_signals,
    cast(case
        when result <> 'true' then 0
        when renewal_factor is null then amount
        else amount * coalesce(weight, 1)
    end as decimal(18, 6)) as points,
    cast(case
        when is_unbounded or renewal_factor is null then amount_low
        else least(amount_low * coalesce(weight, 1), amount_low * coalesce(weight, renewal_factor))
    end as decimal(18, 6)) as points_low,
    cast(case
        when is_unbounded or renewal_factor is null then amount_high
        else greatest(amount_high * coalesce(weight, 1), amount_high * coalesce(weight, renewal_factor))
    end as decimal(18, 6)) as points_high
from bounds
{% endmacro %}
