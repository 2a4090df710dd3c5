-- Grain: one row per account that is scored on the newest as-of date of the last build.
with

history as (

    select * from {{ ref('fct_health_history') }}

),

today as (

    select * from history
    where as_of_date = {{ as_of_end() }}

),

week_before as (

    select
        account_id,
        score
    from history
    where as_of_date = {{ add_days(as_of_end(), -7) }}

),

month_before as (

    select
        account_id,
        score
    from history
    where as_of_date = {{ add_days(as_of_end(), -30) }}

),

accounts as (

    select * from {{ ref('int_accounts__as_of') }}
    where as_of_date = {{ as_of_end() }}

),

renewals as (

    select
        account_id,
        days_to_renewal
    from {{ ref('sig_billing') }}
    where as_of_date = {{ as_of_end() }}

),

reasons as (

    select * from {{ ref('int_account_reasons') }}

),

plays as (

    select
        today.account_id,
        min_by(playbook.next_action, playbook.priority) as next_action
    from today
    inner join {{ ref('playbook') }} as playbook
        on {{ play_fits('playbook', 'today') }}
    group by today.account_id

),

final as (

    select
        -- account
        today.account_id,
        accounts.account_name,
        today.owner_id,
        accounts.owner_name,
        today.segment,
        today.arr_usd,
        today.as_of_date,

        -- score
        today.score,
        today.score_low,
        today.score_high,
        today.model_bucket,
        today.bucket,
        today.decision,
        today.is_overridden,
        today.override_reason,

        -- trend
        today.score - week_before.score as delta_7d,
        today.score - month_before.score as delta_30d,
        case
            when coalesce(week_before.score, month_before.score) is null then 'new'
            when today.score - coalesce(week_before.score, month_before.score) >= {{ setting('trend_points') }}
                then 'improving'
            when today.score - coalesce(week_before.score, month_before.score) <= -1 * {{ setting('trend_points') }}
                then 'declining'
            else 'steady'
        end as trend,

        -- why
        reasons.reason_1,
        reasons.reason_2,
        reasons.reason_3,
        reasons.reason_4,
        today.flags,
        today.unknown_signals,

        -- what next
        case today.decision
            when 'conflict' then 'Settle the sources first: ' || today.conflict_reason
            when 'undecided' then 'Find out first: ' || today.unknown_signals
            else plays.next_action
        end as next_action,
        renewals.days_to_renewal,
        today.decision <> 'decided' or today.review_rules is not null as needs_review,
        nullif(concat_ws(
            '; ',
            case today.decision
                when 'conflict' then today.conflict_reason
                when 'undecided' then 'The bucket hangs on what is not known: ' || today.unknown_signals
            end,
            today.review_rules
        ), '') as review_reason,

        -- how sure
        today.coverage_pct,
        today.rule_set,
        today.rule_version
    from today
    inner join accounts
        on today.account_id = accounts.account_id
    left join week_before
        on today.account_id = week_before.account_id
    left join month_before
        on today.account_id = month_before.account_id
    left join renewals
        on today.account_id = renewals.account_id
    left join reasons
        on today.account_id = reasons.account_id
    left join plays
        on today.account_id = plays.account_id

)

select * from final
