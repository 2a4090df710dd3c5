-- How right the scores were, on the pages Quality and Signals: figures as the marts have them.

-- name: columns
-- for everyone
-- Of the marts of measurement that this copy has: an earlier release made none of them.
select
    table_name,
    list(column_name order by ordinal_position) as columns
from information_schema.columns
where
    table_schema = 'marts'
    and table_name in (select unnest(from_json($names, '["VARCHAR"]')))
group by table_name

-- name: weekly
-- for everyone
-- Of each metric the newest week that is known, and the values of the weeks before it, oldest first.
with known as (
    select
        *,
        row_number() over (partition by metric, horizon_days order by week_start_date desc) as week_rank
    from marts.rpt_health_metrics_weekly
    where
        slice = 'all'
        and value is not null
)

select
    metric,
    horizon_days,
    max(week_start_date) as week_start_date,
    max(value) filter (where week_rank = 1) as value,
    max(ci_low) filter (where week_rank = 1) as ci_low,
    max(ci_high) filter (where week_rank = 1) as ci_high,
    max(n) filter (where week_rank = 1) as n,
    max(accounts) filter (where week_rank = 1) as accounts,
    list(value order by week_start_date) as series
from known
where week_rank <= $weeks
group by metric, horizon_days

-- name: costs
-- for everyone
-- The newest week of each.
select *
from marts.rpt_run_costs_weekly
where value is not null
qualify row_number() over (partition by metric order by week_start_date desc) = 1
order by metric

-- name: segments
-- for everyone
select distinct coalesce(segment, 'none') as segment
from marts.fct_observations
where left_out_because is null
order by segment

-- name: observations
-- for everyone
select observations
from marts.rpt_backtest

-- name: signals
-- for everyone
-- A row a signal: how well its values separate, and the rates of its lowest and highest fifth that is not empty.
select
    audit.signal,
    max(labels.label) as label,
    max(labels.unit) as unit,
    max(audit.observations) filter (where audit.group_name = 'all') as observations,
    max(audit.accounts) filter (where audit.group_name = 'all') as accounts,
    max(audit.accounts_with_outcome) filter (where audit.group_name = 'all') as accounts_with_outcome,
    max(audit.auc) as auc,
    max(audit.auc_low) as auc_low,
    max(audit.auc_high) as auc_high,
    max(audit.value_median) filter (where audit.group_name = 'with_outcome') as median_with_outcome,
    max(audit.value_median) filter (where audit.group_name = 'without_outcome') as median_without_outcome,
    min_by(fifth, audit.group_name) filter (where audit.group_name like 'fifth_%') as lowest,
    max_by(fifth, audit.group_name) filter (where audit.group_name like 'fifth_%') as highest
from (
    select
        *,
        {'n': observations, 'churn_rate': rate, 'ci_low': ci_low, 'ci_high': ci_high} as fifth
    from marts.rpt_signals_by_outcome
    where
        outcome = $outcome
        and segment = $segment
) as audit
left join seeds.signals as labels
    on audit.signal = labels.signal
group by audit.signal
order by max(abs(audit.auc - 0.5)) desc nulls last, audit.signal

-- name: rpt_signals_by_outcome
-- for everyone
select *
from marts.rpt_signals_by_outcome
where
    outcome = $outcome
    and segment = $segment
order by all

-- name: rpt_health_metrics_weekly
-- for everyone
-- Not of owners: a rep does not see how others follow through.
select *
from marts.rpt_health_metrics_weekly
where slice = 'all'
order by all

-- name: rule_audit
-- for everyone
-- On the file of `radar.panel.read_model`.
select body
from shared
where name = 'rule_audit'

-- name: rpt_backtest_capacity
-- for everyone
select *
from marts.rpt_backtest_capacity
order by all

-- name: rpt_backtest_rates
-- for everyone
select *
from marts.rpt_backtest_rates
order by all

-- name: rpt_backtest_lead_times
-- for everyone
select *
from marts.rpt_backtest_lead_times
order by all

-- name: rpt_backtest_calibration
-- for everyone
select *
from marts.rpt_backtest_calibration
order by all

-- name: rpt_backtest
-- for everyone
select *
from marts.rpt_backtest
order by all

-- name: rpt_backtest_quarter
-- for everyone
select *
from marts.rpt_backtest_quarter
order by all

-- name: rpt_backtest_left_out
-- for everyone
select *
from marts.rpt_backtest_left_out
order by all

-- name: rpt_backtest_horizons
-- for everyone
select *
from marts.rpt_backtest_horizons
order by all

-- name: rpt_backtest_episodes
-- for everyone
select *
from marts.rpt_backtest_episodes
order by all

-- name: rpt_backtest_stability
-- for everyone
select *
from marts.rpt_backtest_stability
order by all

-- name: rpt_backtest_vintages
-- for everyone
select *
from marts.rpt_backtest_vintages
order by all

-- name: rpt_backtest_trends
-- for everyone
select *
from marts.rpt_backtest_trends
order by all

-- name: rpt_backtest_renewals
-- for everyone
select *
from marts.rpt_backtest_renewals
order by all

-- name: rpt_run_costs_weekly
-- for everyone
select *
from marts.rpt_run_costs_weekly
order by all

-- name: rpt_retention_cohorts
-- for everyone
select *
from marts.rpt_retention_cohorts
order by all

-- name: rpt_bucket_outcomes
-- for everyone
select *
from marts.rpt_bucket_outcomes
order by all
