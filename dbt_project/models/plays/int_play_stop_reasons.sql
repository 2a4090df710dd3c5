-- Grain: one row per account, play, scored date of this build on which an episode of it is open, and reason that stops
-- this play alone: a new bucket that is seen for the first time, what keeps a message from a customer, and the holdout.
with

open_plays as (

    select
        episode_days.account_id,
        episode_days.as_of_date,
        episode_days.play,
        playbook.channel,
        episode_days.as_of_date = episode_days.episode_started_on and playbook.flag is null as is_new_bucket,
        case when states.is_consecutive then states.score_before - states.score else 0 end as score_fall
    from {{ ref('int_episode_days') }} as episode_days
    inner join {{ ref('playbook') }} as playbook
        on episode_days.play = playbook.play
    inner join {{ ref('int_account_states') }} as states
        on
            episode_days.account_id = states.account_id
            and episode_days.as_of_date = states.as_of_date
    where
        episode_days.is_open
        and states.as_of_date <= {{ as_of_end() }}

),

-- what these plays send reaches the customer; all other channels stay inside the company
customer_plays as (

    select
        open_plays.account_id,
        open_plays.as_of_date,
        open_plays.play,
        outreach_states.is_quiet,
        outreach_states.is_contact_unknown,
        outreach_states.has_consent,
        outreach_states.is_consent_unknown
    from open_plays
    inner join {{ ref('int_outreach_states') }} as outreach_states
        on
            open_plays.account_id = outreach_states.account_id
            and open_plays.as_of_date = outreach_states.as_of_date
    where open_plays.channel in ('mail_draft', 'in_app_guide', 'survey')

),

final as (

    -- a bucket is confirmed on the next scored date, but a steep fall of the score does not wait
    select
        account_id,
        as_of_date,
        play,
        5 as position,
        'hysteresis' as reason
    from open_plays
    where
        is_new_bucket
        and score_fall < {{ setting('hysteresis_points') }}
    union all
    select
        account_id,
        as_of_date,
        play,
        6 as position,
        'quiet_mode' as reason
    from customer_plays
    where is_quiet
    union all
    select
        account_id,
        as_of_date,
        play,
        7 as position,
        'contact_unknown' as reason
    from customer_plays
    where
        is_contact_unknown
        and not is_quiet
    union all
    select
        account_id,
        as_of_date,
        play,
        8 as position,
        'no_consent' as reason
    from customer_plays
    where
        not has_consent
        and not is_consent_unknown
    union all
    select
        account_id,
        as_of_date,
        play,
        9 as position,
        'consent_unknown' as reason
    from customer_plays
    where
        not has_consent
        and is_consent_unknown
    union all
    select
        open_plays.account_id,
        open_plays.as_of_date,
        open_plays.play,
        10 as position,
        'holdout' as reason
    from open_plays
    inner join {{ ref('fct_holdouts') }} as holdouts
        on
            open_plays.account_id = holdouts.account_id
            and open_plays.play = holdouts.play
            and open_plays.as_of_date >= holdouts.as_of_date
    inner join {{ ref('int_play_holdouts') }} as play_holdouts
        on open_plays.play = play_holdouts.play
    where holdouts.is_holdout

)

select * from final
