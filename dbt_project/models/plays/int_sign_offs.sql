-- Grain: one row per account that carries a top flag on the newest as-of date of this build: one whose play is at or
-- before settings.sign_off_priority in the playbook. Since when it carries the flag without a break, and how a person
-- has reviewed it since: a sign-off of the flag's last episode does not count for this one.
-- A break is a scored date without the flag. Looks back settings.sign_off_days, so an older sign-off has to be renewed.
with

top_flags as (

    select flag
    from {{ ref('playbook') }}
    where flag is not null
    group by flag
    having min(priority) <= {{ setting('sign_off_priority') }}

),

flags as (

    select
        flags.account_id,
        flags.flag,
        flags.as_of_date
    from {{ ref('fct_account_flags') }} as flags
    inner join top_flags
        on flags.flag = top_flags.flag
    where
        flags.as_of_date between {{ add_days(as_of_end(), '-1 * ' ~ setting('sign_off_days')) }} and {{ as_of_end() }}

),

flagged_today as (

    select * from flags
    where as_of_date = {{ as_of_end() }}

),

scored_days as (

    select
        flagged_today.account_id,
        flagged_today.flag,
        history.as_of_date
    from flagged_today
    inner join {{ ref('fct_health_history') }} as history
        on flagged_today.account_id = history.account_id
    where
        history.as_of_date
        between {{ add_days(as_of_end(), '-1 * ' ~ setting('sign_off_days')) }} and {{ as_of_end() }}

),

breaks as (

    select
        scored_days.account_id,
        scored_days.flag,
        max(scored_days.as_of_date) filter (where flags.flag is null) as last_day_without
    from scored_days
    left join flags
        on
            scored_days.account_id = flags.account_id
            and scored_days.flag = flags.flag
            and scored_days.as_of_date = flags.as_of_date
    group by scored_days.account_id, scored_days.flag

),

episodes as (

    select
        flags.account_id,
        flags.flag,
        min(flags.as_of_date) as started_on
    from flags
    inner join breaks
        on
            flags.account_id = breaks.account_id
            and flags.flag = breaks.flag
    where flags.as_of_date > coalesce(breaks.last_day_without, date '0001-01-01')
    group by flags.account_id, flags.flag

),

-- who signs off sees all flags of the account, so the newest of them asks
asked as (

    select
        account_id,
        string_agg(flag, ', ' order by flag) as sign_off_flags,
        max(started_on) as episode_started_on
    from episodes
    group by account_id

),

answers as (

    select
        asked.account_id,
        reviews.verdict,
        reviews.reviewed_by,
        reviews.reviewed_at,
        row_number() over (
            partition by asked.account_id
            order by reviews.reviewed_at desc, reviews.review_id desc
        ) as answer_rank
    from asked
    inner join {{ ref('int_reviews') }} as reviews
        on asked.account_id = reviews.account_id
    where
        reviews.kind = 'sign_off'
        and reviews.as_of_date >= asked.episode_started_on

),

final as (

    select
        asked.account_id,
        asked.sign_off_flags,
        asked.episode_started_on,
        coalesce(answers.verdict = 'agree', false) as is_signed_off,
        answers.verdict as sign_off_verdict,
        answers.reviewed_by as signed_off_by,
        answers.reviewed_at as signed_off_at
    from asked
    left join answers
        on
            asked.account_id = answers.account_id
            and answers.answer_rank = 1

)

select * from final
