-- Grain: one row, the last as-of date of this build: whether so many accounts change at once that nothing may go out.
-- One definition for everything that leaves: actions of such a day are suppressed before any is ready, and deliveries
-- and exports read this row.
-- An account has changed where its bucket is not the one that was last released (audit.released_buckets), where it is
-- not scored any more, and where it is new and at risk at once. A blocked date releases nothing, so the next date is
-- compared with the same buckets. A warehouse of an earlier version has released none: the scored date before this
-- build counts instead. Before the first run nothing is known: only accounts at risk have changed, and flood_first_pct
-- is the limit.
with

history as (

    select
        account_id,
        as_of_date,
        bucket
    from {{ ref('fct_health_history') }}

),

released as (

    select
        account_id,
        as_of_date,
        bucket
    from {{ source('audit', 'released_buckets') }}

),

day_before as (

    select max(as_of_date) as as_of_date
    from history
    where
        as_of_date < {{ as_of_start() }}
        and not exists (select 1 from released)

),

known as (

    select
        account_id,
        as_of_date,
        bucket
    from released
    union all
    select
        history.account_id,
        history.as_of_date,
        history.bucket
    from history
    inner join day_before
        on history.as_of_date = day_before.as_of_date

),

today as (

    select * from history
    where as_of_date = {{ as_of_end() }}

),

compared as (

    select
        count(*) as accounts,
        count(*) filter (
            where
            (known.account_id is not null and today.bucket is distinct from known.bucket)
            or (known.account_id is null and today.bucket = 'at_risk')
        ) as accounts_changed,
        count(known.account_id) as accounts_known,
        max(known.as_of_date) as released_on
    from known
    full outer join today
        on known.account_id = today.account_id

),

limits as (

    select
        compared.*,
        case
            when compared.accounts_known = 0 then {{ setting('flood_first_pct') }}
            else {{ setting('flood_pct') }}
        end as limit_pct
    from compared

),

run_window as (

    select coalesce(max(allow_flood), false) as is_allowed
    from {{ source('control', 'run_window') }}

),

final as (

    select
        {{ as_of_end() }} as as_of_date,
        limits.released_on,
        limits.accounts_known = 0 as is_first,
        limits.accounts,
        limits.accounts_changed,
        limits.limit_pct,
        run_window.is_allowed,
        limits.accounts_changed >= {{ setting('flood_least_accounts') }}
        and limits.accounts_changed * 100 > limits.accounts * limits.limit_pct
        and coalesce(limits.released_on <= {{ as_of_end() }}, true)
        and not run_window.is_allowed as is_blocked
    from limits
    cross join run_window

)

select * from final
