-- Grain: one row per rule set: its status and version, and since which as-of date it has both. The run that brings them
-- makes no entry of the audit before it has built: it speaks for its own last date.
with

rule_sets as (

    select * from {{ ref('dim_rule_sets') }}

),

last_entries as (

    select
        subject_id as rule_set,
        max_by(state, sequence) as state,
        max_by(as_of_date, sequence) as as_of_date
    from {{ source('audit', 'entries') }}
    where kind = 'rule_change'
    group by subject_id

),

final as (

    select
        rule_sets.rule_set,
        rule_sets.status,
        rule_sets.rule_version,
        rule_sets.description,
        least(coalesce(last_entries.as_of_date, {{ as_of_end() }}), {{ as_of_end() }}) as status_since
    from rule_sets
    left join last_entries
        on
            rule_sets.rule_set = last_entries.rule_set
            and concat_ws(' ', rule_sets.status, rule_sets.rule_version) = last_entries.state

)

select * from final
