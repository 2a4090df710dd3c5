-- Grain: one row per account and told day that says another bucket, score, points or rule version than the account's
-- told day before, or whose score may have other reasons: other knowledge of a signal that a rule reads, or late data.
-- Days are those of this build, the week before them and, after them, each account's next told day.
{% set history = ref('fct_health_history') %}
{% set first_date = add_days(as_of_start(), -7) %}
{#- read wherever it is asked for: a CTE that is read more than once would hold the whole history in memory -#}
{% set told %}
(
    select
        account_id,
        as_of_date,
        segment,
        bucket,
        rule_set,
        rule_version,
        base_score,
        points,
        score
    from {{ history }}
    where as_of_date between {{ first_date }} and {{ as_of_end() }}
    union all
    select
        history.account_id,
        history.as_of_date,
        history.segment,
        history.bucket,
        history.rule_set,
        history.rule_version,
        history.base_score,
        history.points,
        history.score
    from {{ history }} as history
    inner join next_days
        on
            history.account_id = next_days.account_id
            and history.as_of_date = next_days.as_of_date
)
{%- endset %}
with

next_days as (

    select
        account_id,
        min(as_of_date) as as_of_date
    from {{ history }}
    where as_of_date > {{ as_of_end() }}
    group by account_id

),

days as (

    select
        as_of_date,
        row_number() over (order by as_of_date) as day_number,
        lag(as_of_date) over (order by as_of_date) as date_before,
        lead(as_of_date) over (order by as_of_date) as date_after
    from (select distinct as_of_date from {{ told }} as told) as told_days

),

-- accounts that were not told on some day between two of theirs, or not in the week before this build
absent_accounts as (

    select
        told.account_id,
        min(told.as_of_date) as first_date,
        count(*) <= max(days.day_number) - min(days.day_number) as has_gap
    from {{ told }} as told
    inner join days
        on told.as_of_date = days.as_of_date
    group by told.account_id
    having
        min(told.as_of_date) >= {{ as_of_start() }}
        or count(*) <= max(days.day_number) - min(days.day_number)

),

last_days as (

    select
        history.account_id,
        max(history.as_of_date) as as_of_date
    from {{ history }} as history
    inner join absent_accounts
        on history.account_id = absent_accounts.account_id
    where history.as_of_date < {{ first_date }}
    group by history.account_id

),

told_of_absent as (

    select told.*
    from {{ told }} as told
    inner join absent_accounts
        on told.account_id = absent_accounts.account_id
    where
        absent_accounts.has_gap
        or told.as_of_date = absent_accounts.first_date
    union all
    select
        history.account_id,
        history.as_of_date,
        history.segment,
        history.bucket,
        history.rule_set,
        history.rule_version,
        history.base_score,
        history.points,
        history.score
    from {{ history }} as history
    inner join last_days
        on
            history.account_id = last_days.account_id
            and history.as_of_date = last_days.as_of_date

),

beside_told_day_before as (

    select
        account_id,
        as_of_date,
        lag(as_of_date) over by_account as compared_with,
        segment,
        rule_set,
        lag(bucket) over by_account as bucket_before,
        bucket,
        lag(rule_version) over by_account as rule_version_before,
        rule_version,
        lag(base_score) over by_account as base_score_before,
        base_score,
        lag(points) over by_account as points_before,
        points,
        lag(score) over by_account as score_before,
        score
    from told_of_absent
    window by_account as (
        partition by account_id
        order by as_of_date
    )

),

-- every day has its row: a left join says the same, and engines then join it first
told_before as (

    select
        told.*,
        days.date_after
    from {{ told }} as told
    left join days
        on told.as_of_date = days.as_of_date

),

-- all others are joined with the day before: a window would sort the whole history
beside as (

    select
        told.account_id,
        told.as_of_date,
        before.as_of_date as compared_with,
        told.segment,
        told.rule_set,
        before.bucket as bucket_before,
        told.bucket,
        before.rule_version as rule_version_before,
        told.rule_version,
        before.base_score as base_score_before,
        told.base_score,
        before.points as points_before,
        told.points,
        before.score as score_before,
        told.score
    from {{ told }} as told
    inner join told_before as before
        on
            told.account_id = before.account_id
            and told.as_of_date = before.date_after
    union all
    select beside_told_day_before.*
    from beside_told_day_before
    inner join days
        on beside_told_day_before.as_of_date = days.as_of_date
    where
        beside_told_day_before.compared_with is not null
        and beside_told_day_before.compared_with is distinct from days.date_before

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

judged as (

    select
        beside.*,
        beside.rule_version <> beside.rule_version_before
        or beside.base_score <> beside.base_score_before
        or beside.points <> beside.points_before
        or coalesce(knowledge.known_signals, '') <> coalesce(knowledge_before.known_signals, '')
        or late_accounts.account_id is not null as may_score_differ
    from beside
    left join knowledge
        on beside.as_of_date = knowledge.as_of_date
    left join knowledge as knowledge_before
        on beside.compared_with = knowledge_before.as_of_date
    left join late_accounts
        on
            beside.account_id = late_accounts.account_id
            and beside.compared_with = late_accounts.as_of_date
            and beside.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

final as (

    select *
    from judged
    where
        may_score_differ
        or score <> score_before
        or bucket <> bucket_before

)

select * from final
