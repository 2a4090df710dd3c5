-- Grain: one row per scored account, as_of_date, rule set and rule that applies to the account's segment.
-- The points of a rule set's rows plus its base are the score before it is clamped, exactly: fct_health_scores is made
-- of these rows. The sentence of a rule's row in the seeds is filled in: {value_1} and {threshold_1} are the numbers of
-- its first condition, `limit {threshold_1}` reads `own goal ...` where the account has one, and `(s)` is the plural
-- of {value_1}, `(s_2)` that of {value_2}.
{% set rule_sets = scoring_rule_sets() -%}
{% set conditions = rule_sets | map(attribute='rules') | sum(start=[]) | map(attribute='conditions') | list -%}
{% set positions = range(1, (conditions | map('length') | list + [1]) | max + 1) -%}
with

results as (

    {{ rule_results(rule_sets, ref('int_rule_inputs')) }}

),

numbers as (

    select
        *,
        replace(coalesce(evidence, title, rule_id), '(s)', case when readings[1].value = 1 then '' else 's' end)
            as sentence_0,
        {% for n in positions -%}
        {{ format_number('readings[' ~ n ~ '].value') }} as value_{{ n }},
        {{ format_number('readings[' ~ n ~ '].threshold') }} as threshold_{{ n }},
        {% endfor -%}
        case when points > 0 then '+' else '' end || {{ format_number('points') }} as points_text,
        case when points > 0 then '+' else '' end || {{ format_number('points * renewal_factor') }} as weighted_text
    from results

),

sentences as (

    select
        *,
        {% for n in positions -%}
        replace(
            replace(
                replace(
                    replace(sentence_{{ n - 1 }}, '{value_{{ n }}}', value_{{ n }}),
                    '(s_{{ n }})', case when readings[{{ n }}].value = 1 then '' else 's' end
                ),
                'limit {threshold_{{ n }}}',
                case when readings[{{ n }}].is_own_goal then 'own goal ' else 'limit ' end || threshold_{{ n }}
            ),
            '{threshold_{{ n }}}', threshold_{{ n }}
        ) as sentence_{{ n }},
        case
            when readings[{{ n }}].is_own_goal and not contains(sentence_0, 'limit {threshold_{{ n }}}')
                then ' (own goal for ' || readings[{{ n }}].label || ': ' || threshold_{{ n }} || ')'
        end as own_goal_{{ n }},
        readings[{{ n }}].signal || ' ' || value_{{ n }} || ' ' || readings[{{ n }}].operator || ' ' || threshold_{{ n }}
            as condition_{{ n }},
        {% endfor -%}
        case
            when weight is null
                then '; ' || weighted_text || ' if the renewal is within ' || renewal_within_days
                || case when renewal_within_days = 1 then ' day' else ' days' end || ', which is not known'
            when days_to_renewal <= renewal_within_days
                then '; counts ' || printf('%g', cast(renewal_factor as double)) || ' times: renewal in '
                || days_to_renewal || case when days_to_renewal = 1 then ' day' else ' days' end
            else ''
        end as renewal,
        replace('bucket no better than ' || bucket, '_', ' ') as cap,
        case effect
            when 'points'
                then ' (' || points_text || case when abs(points) = 1 then ' point' else ' points' end || renewal || ')'
            when 'flag' then ' (' || concat_ws(', ', replace('flag ' || flag, '_', ' '), cap) || ')'
            when 'cap' then ' (' || cap || ')'
            else ' (for a person to look at)'
        end as effect_text
    from numbers

),

final as (

    select
        -- ids
        account_id,
        as_of_date,
        rule_set,
        rule_id,

        -- result
        result,
        points,
        points_low,
        points_high,

        -- why
        readings[1].signal as signal,
        readings[1].value as observed_value,
        readings[1].threshold as threshold,
        case when len(readings) > 1 then concat_ws(' and ', {% for n in positions %}condition_{{ n }}{{ ', ' if not loop.last }}{% endfor %}) end as conditions,
        readings[1].is_own_goal as is_own_goal,
        weight,
        case result
            when 'off' then title || ': off, a feed that it needs is not used'
            when 'true'
                then concat(sentence_{{ positions | last }}{% for n in positions %}, own_goal_{{ n }}{% endfor %}, effect_text)
            when 'unknown' then title || ': not known, missing ' || missing_labels
        end as evidence,
        cast(flag as {{ dbt.type_string() }}) as flag,
        rule_number,
        rule_set_status,
        rule_version,

        -- what it does to bucket, decision and interval
        title,
        cast(bucket as {{ dbt.type_string() }}) as cap_bucket,
        needs_review or effect = 'review' as needs_review,
        missing_signals,
        is_unbounded
    from sentences

)

select * from final
