-- Grain: one row per play of the playbook: how many accounts an experiment of it needs, so that an effect of
-- holdout_effect_pct on churn is found 80 times of 100 at 95 % confidence, and how many it has.
-- The churn rate that is assumed is that of accounts for which the play began long enough ago; null without any.
with

known as (

    select max(as_of_date) as known_until_date from {{ ref('fct_health_history') }}

),

first_episodes as (

    select
        play,
        account_id,
        min(episode_started_on) as started_on
    from {{ ref('int_episode_days') }}
    where is_open
    group by play, account_id

),

old_episodes as (

    select
        first_episodes.play,
        first_episodes.account_id,
        bool_or(outcomes.account_id is not null) as has_churned
    from first_episodes
    cross join known
    left join {{ ref('fct_outcomes') }} as outcomes
        on
            first_episodes.account_id = outcomes.account_id
            and first_episodes.started_on < outcomes.outcome_date
            and {{ add_days('first_episodes.started_on', setting('outcome_days')) }} >= outcomes.outcome_date
            and outcomes.outcome = 'churn'
    where
        {{ add_days('first_episodes.started_on', setting('outcome_days') ~ ' + ' ~ setting('churn_grace_days')) }}
        <= known.known_until_date
    group by first_episodes.play, first_episodes.account_id

),

rates as (

    select
        play,
        count(*) as accounts,
        avg(cast(has_churned as double)) as churn_rate
    from old_episodes
    group by play

),

plays as (

    select
        playbook.play,
        play_holdouts.play is not null as has_holdout,
        coalesce(play_holdouts.holdout_pct, {{ setting('holdout_usual_pct') }}) as holdout_pct,
        rates.accounts as past_accounts,
        rates.churn_rate,
        rates.churn_rate * (1 - {{ setting('holdout_effect_pct') }} / 100.0) as churn_rate_with_effect
    from {{ ref('playbook') }} as playbook
    left join {{ ref('int_play_holdouts') }} as play_holdouts
        on playbook.play = play_holdouts.play
    left join rates
        on playbook.play = rates.play

),

assigned as (

    select
        play,
        count(*) as accounts_assigned
    from {{ ref('fct_holdouts') }}
    group by play

),

final as (

    select
        plays.play,
        plays.has_holdout,
        plays.holdout_pct,
        plays.past_accounts,
        plays.churn_rate,
        cast(ceil(
            -- the quantile by which an effect that is there is found 80 times of 100
            power({{ normal_quantile() }} + cast(0.8416212335729143 as double), 2) * (
                plays.churn_rate * (1 - plays.churn_rate) / (plays.holdout_pct / 100.0)
                + plays.churn_rate_with_effect * (1 - plays.churn_rate_with_effect) / (1 - plays.holdout_pct / 100.0)
            ) / nullif(power(plays.churn_rate - plays.churn_rate_with_effect, 2), 0)
        ) as bigint) as accounts_needed,
        coalesce(assigned.accounts_assigned, 0) as accounts_assigned
    from plays
    left join assigned
        on plays.play = assigned.play

)

select * from final
