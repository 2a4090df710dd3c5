-- Grain: one row per ISO week and flagged account that was drawn for a person to look at.
-- Drawn from the accounts that carried a flag on the week's first scored date, by a hash of week and account: the same
-- week draws the same accounts again, however often and on whichever day it is asked.
with

scored_dates as (

    select distinct as_of_date from {{ ref('fct_health_history') }}
    where as_of_date <= {{ as_of_end() }}

),

weeks as (

    select
        strftime(as_of_date, '%G-W%V') as iso_week,
        cast(date_trunc('week', as_of_date) as date) as week_start_date,
        min(as_of_date) as as_of_date
    from scored_dates
    group by strftime(as_of_date, '%G-W%V'), cast(date_trunc('week', as_of_date) as date)

),

flagged as (

    select distinct
        weeks.iso_week,
        weeks.week_start_date,
        weeks.as_of_date,
        flags.account_id
    from weeks
    inner join {{ ref('fct_account_flags') }} as flags
        on weeks.as_of_date = flags.as_of_date

),

ranked as (

    select
        *,
        row_number() over (
            partition by iso_week
            order by md5(iso_week || account_id), account_id
        ) as draw_number
    from flagged

),

drawn as (

    select * from ranked
    where draw_number <= {{ setting('spot_check_accounts') }}

),

flags_of_drawn as (

    select
        drawn.as_of_date,
        drawn.account_id,
        string_agg(flags.flag, ', ' order by flags.flag) as flags,
        string_agg(flags.evidence, '; ' order by flags.flag) as evidence
    from drawn
    inner join {{ ref('fct_account_flags') }} as flags
        on
            drawn.as_of_date = flags.as_of_date
            and drawn.account_id = flags.account_id
    group by drawn.as_of_date, drawn.account_id

),

answers as (

    select
        drawn.iso_week,
        drawn.account_id,
        reviews.verdict,
        reviews.bucket,
        reviews.reason,
        reviews.reviewed_by,
        reviews.reviewed_at,
        row_number() over (
            partition by drawn.iso_week, drawn.account_id
            order by reviews.reviewed_at desc, reviews.review_id desc
        ) as answer_rank
    from drawn
    inner join {{ ref('int_reviews') }} as reviews
        on drawn.account_id = reviews.account_id
    where
        reviews.kind = 'spot_check'
        and reviews.as_of_date between drawn.week_start_date and {{ add_days('drawn.week_start_date', 6) }}

),

accounts as (

    select
        account_id,
        name
    from {{ ref('int_account_versions') }}
    where valid_to_date = date '9999-12-31'

),

final as (

    select
        -- what was drawn
        drawn.iso_week,
        drawn.account_id,
        accounts.name as account_name,
        history.owner_id,
        drawn.as_of_date,
        drawn.draw_number,

        -- what was recorded
        flags_of_drawn.flags,
        flags_of_drawn.evidence,
        history.score,
        history.bucket,

        -- the person's verdict
        answers.verdict,
        answers.bucket as suggested_bucket,
        answers.reason,
        answers.reviewed_by,
        answers.reviewed_at
    from drawn
    inner join flags_of_drawn
        on
            drawn.account_id = flags_of_drawn.account_id
            and drawn.as_of_date = flags_of_drawn.as_of_date
    inner join {{ ref('fct_health_history') }} as history
        on
            drawn.account_id = history.account_id
            and drawn.as_of_date = history.as_of_date
    left join accounts
        on drawn.account_id = accounts.account_id
    left join answers
        on
            drawn.iso_week = answers.iso_week
            and drawn.account_id = answers.account_id
            and answers.answer_rank = 1

)

select * from final
