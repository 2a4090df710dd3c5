-- Grain: one row: the history that is measured, and whether its scores predict churn. The verdict is that of the
-- longest horizon with enough churned accounts: predicts where the interval of its auc is above one half.
with

scores as (

    select
        count(distinct as_of_date) as scored_days,
        min(as_of_date) as first_scored_date,
        max(as_of_date) as last_scored_date,
        count(distinct account_id) as accounts_scored,
        count(distinct rule_set) as rule_sets,
        max_by(rule_set, as_of_date) as rule_set,
        100 * avg(cast(decision = 'undecided' as integer)) as undecided_pct
    from {{ ref('int_measured_scores') }}

),

dates as (

    select
        max(known_until_date) as known_until_date,
        count(*) filter (where is_on_grid) as grid_days
    from {{ ref('int_measured_dates') }}

),

observed as (

    select
        count(*) as observations,
        count(*) filter (where bucket = 'at_risk') as at_risk,
        count(*) filter (where bucket <> 'healthy') as not_healthy,
        count(*) filter (where mrr_usd is null) as unknown_amounts
    from {{ ref('fct_observations') }}
    where left_out_because is null

),

outcomes as (

    select
        count(*) filter (where outcomes.outcome = 'switch' and scored_accounts.account_id is not null) as switches,
        count(*) filter (where outcomes.outcome = 'churn' and scored_accounts.account_id is not null) as churns,
        count(*) filter (
            where outcomes.outcome = 'churn' and outcomes.returned_date is not null
            and scored_accounts.account_id is not null
        ) as reactivations
    from {{ ref('fct_outcomes') }} as outcomes
    cross join scores
    left join (select distinct account_id from {{ ref('int_measured_scores') }}) as scored_accounts
        on outcomes.account_id = scored_accounts.account_id
    where outcomes.outcome_date > scores.first_scored_date

),

billing as (

    select count(*) as billing_intervals from {{ ref('fct_billing_intervals') }}

),

judged as (

    select
        max_by(
            case when auc_low > 0.5 then 'predicts' else 'no_evidence' end, horizon_days
        ) as verdict,
        max(horizon_days) as verdict_horizon_days
    from {{ ref('rpt_backtest_horizons') }}
    where
        slice = 'all'
        and has_enough_churn

),

final as (

    select
        -- the history
        scores.rule_set,
        scores.rule_sets,
        scores.scored_days,
        scores.first_scored_date,
        scores.last_scored_date,
        dates.known_until_date,
        dates.grid_days,
        scores.accounts_scored,
        scores.undecided_pct,

        -- observations
        observed.observations,
        100 * cast(observed.observations - observed.not_healthy as double) / nullif(observed.observations, 0)
            as healthy_pct,
        100 * cast(observed.not_healthy - observed.at_risk as double) / nullif(observed.observations, 0) as watch_pct,
        100 * cast(observed.at_risk as double) / nullif(observed.observations, 0) as at_risk_pct,
        observed.unknown_amounts,

        -- outcomes
        billing.billing_intervals > 0 as has_billing,
        outcomes.churns,
        outcomes.switches,
        outcomes.reactivations,

        -- what it comes to
        coalesce(judged.verdict, 'too_few') as verdict,
        judged.verdict_horizon_days
    from scores
    cross join dates
    cross join observed
    cross join outcomes
    cross join billing
    cross join judged

)

select * from final
