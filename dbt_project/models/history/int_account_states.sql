-- Grain: one row per account and scored date of this build, and per account's first scored date after it where it has
-- an earlier one: what was recorded, next to what was recorded on the account's scored date before (compared_with; null
-- where there is none), however long ago. is_consecutive: on no scored date between the two was another account scored.
-- best_score_7d is the best score of the 7 days before; unknown_flags lists the flags of rules that are unknown.
with

history as (

    select * from {{ ref('fct_health_history') }}

),

dates as (

    select
        as_of_date,
        row_number() over (order by as_of_date) as date_number,
        lag(as_of_date) over (order by as_of_date) as previous_date
    from (select distinct as_of_date from history) as scored_dates

),

-- the days that best_score_7d reads, and the account's scored dates next to them
recorded as (

    select * from history
    where
        as_of_date between {{ add_days(as_of_start(), -7) }} and {{ as_of_end() }}
        or (account_id, as_of_date) in (
            select (earlier.account_id, max(earlier.as_of_date)) from history as earlier
            where earlier.as_of_date < {{ add_days(as_of_start(), -7) }}
            group by earlier.account_id
        )
        or (account_id, as_of_date) in (
            select (later.account_id, min(later.as_of_date)) from history as later
            where later.as_of_date > {{ as_of_end() }}
            group by later.account_id
        )

),

compared as (

    select
        *,
        lag(as_of_date) over by_account as compared_with,
        lag(bucket) over by_account as bucket_before,
        lag(rule_version) over by_account as rule_version_before,
        lag(base_score) over by_account as base_score_before,
        lag(points) over by_account as points_before,
        lag(score) over by_account as score_before,
        max(score) over (
            partition by account_id
            order by as_of_date
            range between interval 7 day preceding and interval 1 day preceding
        ) as best_score_7d
    from recorded
    window by_account as (
        partition by account_id
        order by as_of_date
    )

),

unknown_flags as (

    select
        account_id,
        as_of_date,
        string_agg(distinct flag, ', ' order by flag) as unknown_flags
    from {{ ref('fct_health_evidence') }}
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and result = 'unknown'
        and flag is not null
    group by account_id, as_of_date

),

final as (

    select
        -- ids
        compared.account_id,
        compared.as_of_date,
        compared.compared_with,
        compared.segment,
        compared.rule_set,

        -- scored dates
        dates.date_number,
        dates.previous_date,
        coalesce(compared.compared_with = dates.previous_date, false) as is_consecutive,

        -- before and after
        compared.bucket_before,
        compared.bucket,
        compared.rule_version_before,
        compared.rule_version,
        compared.base_score_before,
        compared.base_score,
        compared.points_before,
        compared.points,
        compared.score_before,
        compared.score,
        compared.best_score_7d,

        -- what plays depend on
        compared.decision,
        compared.conflict_reason,
        compared.unknown_signals,
        compared.is_overridden,
        compared.flags,
        unknown_flags.unknown_flags,
        compared.review_rules,
        compared.arr_usd
    from compared
    inner join dates
        on compared.as_of_date = dates.as_of_date
    left join unknown_flags
        on
            compared.account_id = unknown_flags.account_id
            and compared.as_of_date = unknown_flags.as_of_date
    where
        compared.as_of_date >= {{ as_of_start() }}
        and (compared.as_of_date <= {{ as_of_end() }} or compared.compared_with is not null)

)

select * from final
