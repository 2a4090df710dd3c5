-- Grain: one row per rule set. A version is a hash of the set's rows; candidates and retired sets are not read and have none.
-- depends_on: {{ ref('rules') }}
-- depends_on: {{ ref('rule_conditions') }}
with

rule_sets as (

    select * from {{ ref('rule_sets') }}

),

final as (

    select
        -- ids
        rule_set,

        -- what it is
        status,
        description,
        case
            {% for rule_set in scoring_rule_sets() %}
            when rule_set = {{ quoted(rule_set['rule_set']) }} then '{{ rule_set['version'] }}'
            {% endfor %}
        end as rule_version
    from rule_sets

)

select * from final
