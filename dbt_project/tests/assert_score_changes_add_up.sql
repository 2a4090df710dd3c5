-- The parts of a change are the whole change, exactly, the change is what history says, and no change is left out:
-- over the days of the build, and the day after them that is compared with one of them.
with

told as (

    select
        history.account_id,
        history.as_of_date,
        history.score,
        lag(history.as_of_date) over by_account as compared_with,
        lag(history.score) over by_account as score_before
    from {{ ref('fct_health_history') }} as history
    inner join {{ ref('int_told_runs') }} as runs
        on history.as_of_date = runs.as_of_date
    window by_account as (
        partition by history.account_id
        order by history.as_of_date
    )

),

changes as (

    select * from {{ ref('fct_score_changes') }}

)

select
    changes.account_id,
    changes.as_of_date,
    'the parts are not the whole' as problem
from changes
where
    changes.as_of_date >= {{ as_of_start() }}
    and changes.compared_with <= {{ as_of_end() }}
    and (
        cast(changes.change as decimal(18, 6))
        <> cast(changes.behaviour as decimal(18, 6)) + cast(changes.new_data as decimal(18, 6))
        + cast(changes.late_data as decimal(18, 6)) + cast(changes.rule_change as decimal(18, 6))
        + cast(changes.coverage as decimal(18, 6))
        or cast(changes.change as decimal(18, 6))
        <> cast(changes.score_after as decimal(18, 6)) - cast(changes.score_before as decimal(18, 6))
        or (changes.rule_change <> 0 and changes.rule_version = changes.rule_version_before)
    )
union all
select
    told.account_id,
    told.as_of_date,
    'history says another change' as problem
from told
left join changes
    on
        told.account_id = changes.account_id
        and told.as_of_date = changes.as_of_date
where
    coalesce(changes.score_before, told.score_before) <> told.score_before
    or coalesce(changes.score_after, told.score) <> told.score
    or coalesce(changes.compared_with, told.compared_with) <> told.compared_with
    or (changes.account_id is null and told.score <> told.score_before)
