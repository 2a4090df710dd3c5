-- Grain: one row per rule set, with how far it is on the way from candidate to champion rule set, and what it would
-- have done as a shadow. Counts of days as a shadow start again when its rules change.
-- An alert is an account that is at risk by the rules and was not on the recorded date before.
with

states as (

    select * from {{ ref('int_rule_set_statuses') }}

),

-- each account on the days of the shadow, as the shadow and as the champion rule set of that day saw it
recorded as (

    select
        shadow.rule_set,
        shadow.account_id,
        shadow.as_of_date,
        shadow.bucket as shadow_bucket,
        history.model_bucket as champion_bucket,
        lag(shadow.bucket) over by_account as shadow_bucket_before,
        lag(history.model_bucket) over by_account as champion_bucket_before
    from {{ ref('fct_shadow_history') }} as shadow
    inner join states
        on
            shadow.rule_set = states.rule_set
            and shadow.rule_version = states.rule_version
    inner join {{ ref('fct_health_history') }} as history
        on
            shadow.account_id = history.account_id
            and shadow.as_of_date = history.as_of_date
    where
        states.status = 'shadow'
        and shadow.as_of_date between states.status_since and {{ as_of_end() }}
    window by_account as (
        partition by shadow.rule_set, shadow.account_id
        order by shadow.as_of_date
    )

),

alerts as (

    select
        rule_set,
        count(distinct as_of_date) as compared_days,
        count(*) filter (where shadow_bucket = 'at_risk' and shadow_bucket_before <> 'at_risk') as alerts,
        count(*) filter (where champion_bucket = 'at_risk' and champion_bucket_before <> 'at_risk') as champion_alerts
    from recorded
    group by rule_set

),

-- the bucket that a person finds right: the recorded one, or the one suggested in its place
spot_checks as (

    select
        account_id,
        as_of_date,
        case verdict when 'agree' then bucket else suggested_bucket end as checked_bucket
    from {{ ref('rpt_spot_checks') }}
    where verdict is not null

),

agreement as (

    select
        recorded.rule_set,
        count(*) as spot_checks,
        count(*) filter (where recorded.shadow_bucket = spot_checks.checked_bucket) as spot_checks_agreed,
        count(*) filter (where recorded.champion_bucket = spot_checks.checked_bucket) as champion_spot_checks_agreed
    from recorded
    inner join spot_checks
        on
            recorded.account_id = spot_checks.account_id
            and recorded.as_of_date = spot_checks.as_of_date
    where spot_checks.checked_bucket is not null
    group by recorded.rule_set

),

differences as (

    select
        shadow_rule_set as rule_set,
        count(*) as accounts,
        count(*) filter (where bucket_difference > 0) as accounts_better,
        count(*) filter (where bucket_difference < 0) as accounts_worse
    from {{ ref('fct_rule_set_comparison') }}
    group by shadow_rule_set

),

final as (

    select
        -- ids
        {{ as_of_end() }} as as_of_date,
        states.rule_set,
        states.rule_version,
        states.description,

        -- state
        states.status,
        case
            when
                states.status = 'shadow'
                and {{ add_days('states.status_since', setting('shadow_days')) }} <= {{ as_of_end() }}
                then 'eligible'
            else states.status
        end as state,
        states.status_since,
        case
            when states.status = 'shadow' then {{ add_days('states.status_since', setting('shadow_days')) }}
        end as eligible_on,

        -- what the shadow would have done
        coalesce(alerts.compared_days, 0) as compared_days,
        differences.accounts,
        differences.accounts_better,
        differences.accounts_worse,
        alerts.alerts,
        alerts.champion_alerts,
        coalesce(agreement.spot_checks, 0) as spot_checks,
        coalesce(agreement.spot_checks_agreed, 0) as spot_checks_agreed,
        coalesce(agreement.champion_spot_checks_agreed, 0) as champion_spot_checks_agreed
    from states
    left join alerts
        on states.rule_set = alerts.rule_set
    left join agreement
        on states.rule_set = agreement.rule_set
    left join differences
        on states.rule_set = differences.rule_set

)

select * from final
