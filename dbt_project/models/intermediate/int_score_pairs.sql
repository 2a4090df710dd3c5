-- Grain: one row per account and told day whose score may differ from that of its told day before: another rule
-- version, other points, other knowledge of a signal that a rule reads, or late data. For all others no part of the
-- difference can be other than 0. Days are those of this build and, after them, each account's next told day.
{#- each question reads the days that it needs: one shared CTE would read the whole history -#}
{% set history = ref('fct_health_history') %}
with

told_now as (

    select history.*
    from {{ history }} as history
    where history.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

next_days as (

    select
        history.account_id,
        min(history.as_of_date) as as_of_date
    from {{ history }} as history
    where history.as_of_date > {{ as_of_end() }}
    group by history.account_id

),

told_next as (

    select history.*
    from {{ history }} as history
    inner join next_days
        on
            history.account_id = next_days.account_id
            and history.as_of_date = next_days.as_of_date

),

run_before as (

    select max(history.as_of_date) as as_of_date
    from {{ history }} as history
    where history.as_of_date < {{ as_of_start() }}

),

told_before as (

    select history.*
    from {{ history }} as history
    inner join run_before
        on history.as_of_date = run_before.as_of_date

),

-- accounts that the newest run before did not tell: their told day before, if any, lies further back
returned_accounts as (

    select account_id from told_now
    union
    select account_id from told_next
    except
    select account_id from told_before

),

last_days as (

    select
        history.account_id,
        max(history.as_of_date) as as_of_date
    from {{ history }} as history
    inner join returned_accounts
        on history.account_id = returned_accounts.account_id
    where history.as_of_date < {{ as_of_start() }}
    group by history.account_id

),

told_long_before as (

    select history.*
    from {{ history }} as history
    inner join last_days
        on
            history.account_id = last_days.account_id
            and history.as_of_date = last_days.as_of_date

),

told as (

    select * from told_now
    union all
    select * from told_next
    union all
    select * from told_before
    union all
    select * from told_long_before

),

signals_read as (

    select conditions.signal
    from {{ ref('rule_conditions') }} as conditions
    inner join {{ ref('rule_sets') }} as rule_sets
        on conditions.rule_set = rule_sets.rule_set
    where rule_sets.status = 'champion'
    union
    -- weights read it
    select 'days_to_renewal' as signal

),

-- what was known that day of the signals that rules read, as one text to compare
knowledge as (

    select
        states.as_of_date,
        string_agg(
            states.signal
            || case when states.is_known then ' known' when states.is_used then ' unknown' else ' off' end,
            ', ' order by states.signal
        ) as known_signals
    from {{ ref('int_signal_states') }} as states
    inner join signals_read
        on states.signal = signals_read.signal
    group by states.as_of_date

),

late_accounts as (

    select distinct
        account_id,
        as_of_date
    from {{ ref('int_late_points') }}

),

beside as (

    select
        told.account_id,
        told.as_of_date,
        told.segment,
        told.rule_set,
        told.rule_version,
        told.base_score,
        told.points,
        told.score,
        lag(told.as_of_date) over by_account as compared_with,
        lag(told.rule_version) over by_account as rule_version_before,
        lag(told.base_score) over by_account as base_score_before,
        lag(told.points) over by_account as points_before,
        lag(told.score) over by_account as score_before
    from told
    window by_account as (
        partition by told.account_id
        order by told.as_of_date
    )

),

final as (

    select
        -- ids
        beside.account_id,
        beside.as_of_date,
        beside.compared_with,
        beside.segment,
        beside.rule_set,

        -- before and after
        beside.rule_version_before,
        beside.rule_version,
        beside.base_score_before,
        beside.base_score,
        beside.points_before,
        beside.points,
        beside.score_before,
        beside.score
    from beside
    -- joined behind the window, which would sort these long texts with every row
    left join knowledge
        on beside.as_of_date = knowledge.as_of_date
    left join knowledge as knowledge_before
        on beside.compared_with = knowledge_before.as_of_date
    left join late_accounts
        on
            beside.account_id = late_accounts.account_id
            and beside.compared_with = late_accounts.as_of_date
            and beside.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
    where
        beside.as_of_date >= {{ as_of_start() }}
        and beside.compared_with <= {{ as_of_end() }}
        and (
            beside.rule_version <> beside.rule_version_before
            or beside.base_score <> beside.base_score_before
            or beside.points <> beside.points_before
            or knowledge.known_signals is distinct from knowledge_before.known_signals
            or late_accounts.account_id is not null
        )

)

select * from final
