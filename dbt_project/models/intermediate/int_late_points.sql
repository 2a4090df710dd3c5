-- Grain: one row per account, rule and rechecked day on which the rule adds other points by the facts known now than
-- by those known when the day was told; both by today's rules of the champion. No row where no day is rechecked.
-- What was known of feeds, goals and segments stays as it was told: what comes from those is not late data.
-- depends_on: {{ ref('rule_sets') }}
-- depends_on: {{ ref('rules') }}
-- depends_on: {{ ref('rule_conditions') }}
{% set rule_sets = champions() %}
with

{% if rechecked_date() or not execute -%}
told as (

    select * from {{ ref('int_rule_evaluations') }}
    where as_of_date = {{ signals_start() }}

),

rechecked as (

    {{ rule_evaluations(rule_sets, 'select * from (' ~ rule_inputs(rule_sets, rechecked=true) ~ ') as inputs') }}

),

late as (

    {% for rule_id in rule_sets[0]['rules'] | map(attribute='rule_id') if rule_sets %}
    select
        told.account_id,
        told.as_of_date,
        '{{ rule_id }}' as rule_id,
        cast(rechecked.{{ rule_id }}_points - told.{{ rule_id }}_points as decimal(18, 6)) as points
    from told
    inner join rechecked
        on
            told.account_id = rechecked.account_id
            and told.as_of_date = rechecked.as_of_date
            and told.rule_set = rechecked.rule_set
    where rechecked.{{ rule_id }}_points <> told.{{ rule_id }}_points
    {{ 'union all' if not loop.last }}
    {% endfor %}

),
{%- else -%}
late as (

    select
        cast(null as {{ dbt.type_string() }}) as account_id,
        cast(null as date) as as_of_date,
        cast(null as {{ dbt.type_string() }}) as rule_id,
        cast(null as decimal(18, 6)) as points
    where false

),
{%- endif %}

final as (

    select
        account_id,
        as_of_date,
        rule_id,
        points
    from late

)

select * from final
