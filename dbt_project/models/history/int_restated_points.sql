-- Grain: one row per account, rule and restated day on which the rule adds other points by the facts known now than
-- by those known when the day was recorded; both by today's champion rule set. No row where no day is restated.
-- What was known of feeds, goals and segments stays as recorded: what comes from those is not late data.
-- depends_on: {{ ref('int_rank_limits') }}
-- depends_on: {{ ref('settings') }}
with

recorded as (

    select * from {{ ref('fct_rule_results') }}
    where
        rule_set_status = 'champion'
        and as_of_date = {{ signals_start() }}

),

restated as (

    {% if restated_date() or not execute %}
    {{ rule_results(scoring_rule_sets(status='champion'), '(' ~ rule_inputs(is_restated=true) ~ ')') }}
    {% else %}
    select * from recorded
    where false
    {% endif %}

),

final as (

    select
        recorded.account_id,
        recorded.as_of_date,
        recorded.rule_id,
        cast(restated.points - recorded.points as decimal(18, 6)) as points
    from recorded
    inner join restated
        on
            recorded.account_id = restated.account_id
            and recorded.as_of_date = restated.as_of_date
            and recorded.rule_id = restated.rule_id
    where restated.points <> recorded.points

)

select * from final
