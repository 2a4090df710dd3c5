-- The parts of a change are the whole change, exactly, the change is that of history, and no change is left out:
-- over the days of the build, and the day after them that is compared with one of them.
with

recorded as (

    select
        history.account_id,
        history.as_of_date,
        history.score,
        lag(history.as_of_date) over by_account as compared_with,
        lag(history.score) over by_account as score_before
    from {{ ref('fct_health_history') }} as history
    inner join {{ ref('int_scored_dates') }} as scored_dates
        on history.as_of_date = scored_dates.as_of_date
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
    recorded.account_id,
    recorded.as_of_date,
    'history has another change' as problem
from recorded
left join changes
    on
        recorded.account_id = changes.account_id
        and recorded.as_of_date = changes.as_of_date
where
    coalesce(changes.score_before, recorded.score_before) <> recorded.score_before
    or coalesce(changes.score_after, recorded.score) <> recorded.score
    or coalesce(changes.compared_with, recorded.compared_with) <> recorded.compared_with
    or (changes.account_id is null and recorded.score <> recorded.score_before)
