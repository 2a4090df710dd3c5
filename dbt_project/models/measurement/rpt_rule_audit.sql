-- Grain: one row per rule set that scored, rule and period (all, quarter, quarter_before): how often the rule fired on
-- observations, and what came of it within 90 days. A rule is proposed for retirement where the interval of its
-- precision covers the base rate in both quarters, and enough accounts churned after dates of the two to say so.
-- A view: nothing is computed until somebody reads it.
with

rates as (

    select * from {{ ref('int_rule_rates') }}

),

-- the newest title, by one text: readers with DuckDB 1.0 know no max_by of a pair
titles as (

    select
        rule_set,
        rule_id,
        max_by(title, concat(as_of_date, title)) as title
    from {{ ref('fct_health_evidence') }}
    group by rule_set, rule_id

),

churned as (

    select
        rule_set,
        rule_id,
        count(distinct account_id) filter (where has_churned) as churned_accounts
    from {{ ref('int_rule_observations') }}
    where period in ('quarter', 'quarter_before')
    group by rule_set, rule_id

),

covered as (

    select
        rates.rule_set,
        rates.rule_id,
        count(*) filter (where rates.base_rate between rates.ci_low and rates.ci_high) = 2
        and max(churned.churned_accounts) >= {{ setting('least_churned_accounts') }} as is_retirement_proposed
    from rates
    inner join churned
        on
            rates.rule_set = churned.rule_set
            and rates.rule_id = churned.rule_id
    where rates.period in ('quarter', 'quarter_before')
    group by rates.rule_set, rates.rule_id

),

final as (

    select
        -- ids
        rates.rule_set,
        rates.rule_id,
        rates.period,
        coalesce(rules.title, titles.title) as title,

        -- how often
        rates.fired,
        rates.accounts,
        rates.arr_usd,

        -- what came of it
        rates.known,
        rates.churned,
        rates.bad,
        rates.known - rates.bad as not_bad,
        rates.fired_open,
        rates.treated,
        rates.churned_arr_usd,
        rates.precision,
        rates.ci_low,
        rates.ci_high,
        rates.base_observations,
        rates.base_rate,

        -- how early, and what the score would be without it
        case when rates.period = 'all' then coalesce(lead_times.warned_churns, 0) end as warned_churns,
        case when rates.period = 'all' then lead_times.median_lead_days end as median_lead_days,
        round(auc.auc_without, 9) as auc_without,
        round(auc.auc_difference, 9) as auc_difference,
        round(auc.auc_difference_low, 9) as auc_difference_low,
        round(auc.auc_difference_high, 9) as auc_difference_high,

        -- the proposal
        coalesce(covered.is_retirement_proposed, false) as is_retirement_proposed
    from rates
    left join {{ ref('rules') }} as rules
        on
            rates.rule_set = rules.rule_set
            and rates.rule_id = rules.rule_id
            and rules.segment is null
    left join titles
        on
            rates.rule_set = titles.rule_set
            and rates.rule_id = titles.rule_id
    left join {{ ref('int_rule_lead_times') }} as lead_times
        on
            rates.rule_set = lead_times.rule_set
            and rates.rule_id = lead_times.rule_id
    left join {{ ref('int_rule_auc') }} as auc
        on
            rates.rule_set = auc.rule_set
            and rates.rule_id = auc.rule_id
            and rates.period = 'all'
            and auc.churned_accounts >= {{ setting('least_churned_accounts') }}
    left join covered
        on
            rates.rule_set = covered.rule_set
            and rates.rule_id = covered.rule_id

)

select * from final
