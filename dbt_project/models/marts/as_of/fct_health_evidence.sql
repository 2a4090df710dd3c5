-- Grain: one row per scored account, as_of_date and rule of the champion that held or could not be told.
-- base + the sum of points = the score before it is held between 0 and 100, exactly. Rules that did not hold add
-- nothing and are in scoring.fct_rule_results.
-- depends_on: {{ ref('int_champion_inputs') }}
-- depends_on: {{ ref('int_rule_inputs') }}
with

rule_results as (

    {% for champion in champions() %}
    {{ rule_set_evidence(champion, 'select * from ' ~ champion_inputs()) }}
    {% endfor %}

),

final as (

    select
        -- ids
        account_id,
        as_of_date,
        rule_set,
        rule_version,
        rule_id,
        rule_number,

        -- result
        result,
        points,
        points_low,
        points_high,
        weight,
        flag,

        -- why
        signal,
        observed_value,
        threshold,
        is_own_goal,
        conditions,
        evidence
    from rule_results
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

)

select * from final
