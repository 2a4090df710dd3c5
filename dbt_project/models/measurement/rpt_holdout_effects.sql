-- Grain: one row per play of the playbook and measure (churn, mrr, usage): what the play did, by its holdout.
-- By intention to treat: everyone who was to get the play against everyone who was not, whatever happened then. Figures
-- are null until as many accounts are old enough as the experiment needs, so that nobody stops at a lucky moment.
with

sizes as (

    select * from {{ ref('int_holdout_sizes') }}

),

measured as (

    select
        play,
        is_holdout,
        'churn' as measure,
        cast(has_churned as double) as outcome
    from {{ ref('int_holdout_outcomes') }}
    union all
    select
        play,
        is_holdout,
        'mrr' as measure,
        mrr_change_usd as outcome
    from {{ ref('int_holdout_outcomes') }}
    union all
    select
        play,
        is_holdout,
        'usage' as measure,
        cast(active_days_change as double) as outcome
    from {{ ref('int_holdout_outcomes') }}

),

arms as (

    select
        play,
        measure,
        count(*) as accounts_old_enough,
        cast(count(outcome) filter (where not is_holdout) as double) as treated,
        cast(count(outcome) filter (where is_holdout) as double) as holdout,
        avg(outcome) filter (where not is_holdout) as treated_mean,
        avg(outcome) filter (where is_holdout) as holdout_mean,
        coalesce(var_samp(outcome) filter (where not is_holdout), 0) as treated_variance,
        coalesce(var_samp(outcome) filter (where is_holdout), 0) as holdout_variance
    from measured
    group by play, measure

),

-- of rates by Newcombe, of means by their variances
bounds as (

    select
        *,
        treated_mean - holdout_mean as effect,
        case
            when measure = 'churn' then sqrt(
                power(treated_mean - {{ wilson_bound('treated_mean', 'treated', '-') }}, 2)
                + power({{ wilson_bound('holdout_mean', 'holdout', '+') }} - holdout_mean, 2)
            )
            else {{ normal_quantile() }} * sqrt(treated_variance / treated + holdout_variance / holdout)
        end as below,
        case
            when measure = 'churn' then sqrt(
                power({{ wilson_bound('treated_mean', 'treated', '+') }} - treated_mean, 2)
                + power(holdout_mean - {{ wilson_bound('holdout_mean', 'holdout', '-') }}, 2)
            )
            else {{ normal_quantile() }} * sqrt(treated_variance / treated + holdout_variance / holdout)
        end as above
    from arms
    where
        treated > 0
        and holdout > 0

),

measures as (

    select unnest(['churn', 'mrr', 'usage']) as measure

),

states as (

    select
        sizes.*,
        measures.measure,
        coalesce(arms.accounts_old_enough, 0) as accounts_old_enough,
        case
            when not sizes.has_holdout and sizes.accounts_assigned = 0 then 'off'
            when coalesce(arms.accounts_old_enough >= sizes.accounts_needed, false) and bounds.play is not null
                then 'measured'
            else 'not_enough_yet'
        end as state
    from sizes
    cross join measures
    left join arms
        on
            sizes.play = arms.play
            and measures.measure = arms.measure
    left join bounds
        on
            sizes.play = bounds.play
            and measures.measure = bounds.measure

),

final as (

    select
        -- ids
        states.play,
        states.measure,

        -- experiment
        states.state,
        states.holdout_pct,
        states.churn_rate as assumed_churn_rate,
        states.accounts_needed,
        states.accounts_assigned,
        states.accounts_old_enough,
        case
            when states.accounts_needed is null
                then
                    'How many accounts it needs is not known: of none for which the play began long enough ago is a '
                    || 'churn known'
            when states.state = 'off'
                then
                    'No holdout. With ' || states.holdout_pct || ' % of the accounts in it, it needs '
                    || states.accounts_needed || ' accounts to show an effect of ' || {{ setting('holdout_effect_pct') }}
                    || ' % on churn'
            when states.state = 'not_enough_yet'
                then
                    'Not enough yet: ' || states.accounts_old_enough || ' of ' || states.accounts_needed
                    || ' accounts are old enough'
            else 'Measured by ' || states.accounts_old_enough || ' accounts, ' || states.accounts_needed || ' were needed'
        end as finding,

        -- effect
        case when states.state = 'measured' then cast(bounds.treated as bigint) end as accounts_treated,
        case when states.state = 'measured' then cast(bounds.holdout as bigint) end as accounts_holdout,
        case when states.state = 'measured' then bounds.treated_mean end as treated_mean,
        case when states.state = 'measured' then bounds.holdout_mean end as holdout_mean,
        case when states.state = 'measured' then bounds.effect end as effect,
        case when states.state = 'measured' then bounds.effect - bounds.below end as effect_low,
        case when states.state = 'measured' then bounds.effect + bounds.above end as effect_high
    from states
    left join bounds
        on
            states.play = bounds.play
            and states.measure = bounds.measure

)

select * from final
