-- Grain: one row per play of the playbook and measure (churn, mrr, usage): what the play did, by its holdout.
-- By intention to treat: everyone who was to get the play against everyone who was not, whatever happened then. Figures
-- are null until as many accounts are old enough as the experiment needs, so that nobody stops at a lucky moment.
with

sizes as (

    select * from {{ ref('int_holdout_sizes') }}

),

effects as (

    select * from {{ ref('int_holdout_effects') }}

),

measures as (

    select unnest(['churn', 'mrr', 'usage']) as measure

),

states as (

    select
        sizes.*,
        measures.measure,
        coalesce(effects.accounts_old_enough, 0) as accounts_old_enough,
        case
            when not sizes.has_holdout and sizes.accounts_assigned = 0 then 'off'
            when effects.accounts_old_enough >= sizes.accounts_needed and effects.effect is not null
                then 'measured'
            else 'not_enough_yet'
        end as state
    from sizes
    cross join measures
    left join effects
        on
            sizes.play = effects.play
            and measures.measure = effects.measure

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
                    case when states.state = 'off' then 'No holdout. ' else '' end
                    || 'How many accounts it needs is not known: nobody churned, or is old enough, of those for whom '
                    || 'the play began'
            when states.state = 'off'
                then
                    'No holdout. With ' || states.holdout_pct || ' % of the accounts in it, it needs '
                    || states.accounts_needed
                    || case when states.accounts_needed = 1 then ' account' else ' accounts' end
                    || ' to show an effect of '
                    || {{ setting('holdout_effect_pct') }} || ' % on churn'
            when states.state = 'not_enough_yet'
                then
                    'Not enough yet: ' || states.accounts_old_enough || ' of ' || states.accounts_needed
                    || case when states.accounts_needed = 1 then ' account is' else ' accounts are' end || ' old enough'
            else
                'Measured by ' || states.accounts_old_enough
                || case when states.accounts_old_enough = 1 then ' account, ' else ' accounts, ' end
                || states.accounts_needed
                || case when states.accounts_needed = 1 then ' was' else ' were' end || ' needed'
        end as finding,

        -- effect
        effects.accounts_treated,
        effects.accounts_holdout,
        effects.treated_mean,
        effects.holdout_mean,
        effects.effect,
        effects.effect_low,
        effects.effect_high
    from states
    left join effects
        on
            states.play = effects.play
            and states.measure = effects.measure
            and states.state = 'measured'

)

select * from final
