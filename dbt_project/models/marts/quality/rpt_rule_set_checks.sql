-- Grain: one row per check of whether the champion rule set can tell accounts apart, on the newest as-of date.
-- Looks at paying accounts, by the bucket of the rules alone; where none pays at those with a live subscription, and
-- where none has one at all scored accounts.
with

health as (

    select * from {{ ref('rpt_account_health') }}

),

reach as (

    select * from {{ ref('int_rule_reach') }}

),

champion_rule_set as (

    select rule_set
    from {{ ref('rule_sets') }}
    where status = 'champion'

),

paying as (

    select account_id
    from {{ ref('fct_billing_intervals') }}
    where
        is_paying
        and {{ as_of_end() }} between valid_from_date and valid_to_date

),

ranked as (

    select
        health.model_bucket,
        health.segment,
        case
            when paying.account_id is not null then 3
            when health.has_live_subscription then 2
            else 1
        end as customer_rank,
        case
            when paying.account_id is not null then ' paying accounts '
            when health.has_live_subscription then ' accounts with a live subscription '
            else ' accounts '
        end as accounts_text
    from health
    left join paying
        on health.account_id = paying.account_id

),

customers as (

    select max(customer_rank) as customer_rank
    from ranked

),

counted as (

    select
        count(*) as accounts,
        count(*) filter (where ranked.model_bucket = 'healthy') as healthy,
        count(*) filter (where ranked.model_bucket = 'at_risk') as at_risk,
        count(*) filter (where not reach.can_leave_healthy) as cannot_leave,
        min(reach.least_score) filter (where not reach.can_leave_healthy) as least_score,
        any_value(ranked.accounts_text) as accounts_text
    from ranked
    inner join customers
        on ranked.customer_rank = customers.customer_rank
    inner join reach
        on coalesce(ranked.segment, '') = reach.segment

),

checks as (

    select
        'too_many_healthy' as check_name,
        accounts,
        healthy as accounts_found,
        {{ setting('healthy_limit_pct') }} as limit_pct,
        accounts_text || 'are healthy' as found_text
    from counted
    union all
    select
        'too_many_at_risk' as check_name,
        accounts,
        at_risk as accounts_found,
        {{ setting('at_risk_limit_pct') }} as limit_pct,
        accounts_text || 'are at risk' as found_text
    from counted
    union all
    select
        'cannot_leave_healthy' as check_name,
        accounts,
        cannot_leave as accounts_found,
        0 as limit_pct,
        accounts_text || 'cannot leave healthy: no combination of the rules in use can, all together leave a score of '
        || {{ format_number('least_score') }} as found_text
    from counted

),

judged as (

    select
        *,
        cast(100 * accounts_found as double) / nullif(accounts, 0) as found_pct,
        100 * accounts_found > limit_pct * accounts
        and (check_name = 'cannot_leave_healthy' or accounts >= {{ setting('rule_check_least_accounts') }})
            as is_over_limit
    from checks

),

final as (

    select
        judged.check_name,
        champion_rule_set.rule_set,
        {{ as_of_end() }} as as_of_date,
        judged.accounts,
        judged.accounts_found,
        judged.found_pct,
        judged.limit_pct,
        judged.is_over_limit,
        case
            when judged.is_over_limit
                then
                    judged.accounts_found || ' of ' || judged.accounts || judged.found_text
                    || case
                        when judged.limit_pct > 0
                            then
                                ' (limit ' || judged.limit_pct || ' %): these thresholds do not fit your product: run'
                                || ' radar calibrate'
                        else ''
                    end
        end as finding
    from judged
    cross join champion_rule_set

)

select * from final
