-- Grain: one row per owner of an account that is scored on the newest as-of date: their work on it as a lead looks at
-- it. follow_through and spot checks are those of the last settings.agreement_weeks weeks; times and overrides are all
-- that are recorded. Where there is nothing to measure a median is null and a count is 0.
with

accounts as (

    select * from {{ ref('rpt_account_health') }}
    where owner_id is not null

),

owners as (

    select
        owner_id,
        max(owner_name) as owner_name,
        count(*) as accounts,
        max(as_of_date) as as_of_date,
        cast({{ add_days('max(as_of_date)', '-7 * ' ~ setting('agreement_weeks')) }} as date) as since_date
    from accounts
    group by owner_id

),

open_actions as (

    select
        owner_id,
        count(*) filter (where status <> 'suppressed') as open_actions,
        count(*) filter (where is_overdue) as overdue_actions
    from {{ ref('rpt_open_actions') }}
    group by owner_id

),

outreach as (

    select
        owner_id,
        count(*) filter (where outcome = 'waiting') as waiting_outreach,
        median(hours_to_outreach) filter (where outcome = 'reached') as median_hours_to_outreach
    from {{ ref('rpt_outreach_times') }}
    group by owner_id

),

follow_through as (

    select
        owners.owner_id,
        cast(sum(work.n) as bigint) as actions_asked,
        cast(sum(work.hits) as bigint) as actions_done_in_time
    from owners
    inner join {{ ref('int_weekly_work') }} as work
        on
            owners.owner_id = work.slice
            and work.metric = 'follow_through'
            and owners.since_date < work.week_start_date
    group by owners.owner_id

),

overrides as (

    select
        owner_id,
        count(*) as overrides,
        count(*) filter (where who_was_right = 'person') as person_right,
        count(*) filter (where who_was_right = 'model') as model_right
    from {{ ref('rpt_override_scoreboard') }}
    group by owner_id

),

spot_checks as (

    select
        owners.owner_id,
        count(*) as spot_checks,
        count(checks.verdict) as spot_checks_answered
    from owners
    inner join {{ ref('rpt_spot_checks') }} as checks
        on
            owners.owner_id = checks.owner_id
            and owners.since_date < checks.as_of_date
    group by owners.owner_id

),

-- who was asked for cover, on accounts where it is not over
covers as (

    select
        accounts.owner_id,
        count(distinct accounts.account_id) as covered_accounts,
        string_agg(
            distinct coalesce(colleagues.name, reviews.owner_id), ', '
            order by coalesce(colleagues.name, reviews.owner_id)
        ) as covered_by,
        max(reviews.until_date) as covered_until
    from {{ ref('int_reviews') }} as reviews
    inner join accounts
        on reviews.account_id = accounts.account_id
    left join {{ ref('stg_crm__owners') }} as colleagues
        on reviews.owner_id = colleagues.owner_id
    where
        reviews.kind = 'cover'
        and reviews.until_date > accounts.as_of_date
    group by accounts.owner_id

),

final as (

    select
        owners.owner_id,
        owners.owner_name,
        owners.accounts,
        coalesce(open_actions.open_actions, 0) as open_actions,
        coalesce(open_actions.overdue_actions, 0) as overdue_actions,
        coalesce(outreach.waiting_outreach, 0) as waiting_outreach,
        outreach.median_hours_to_outreach,
        coalesce(follow_through.actions_asked, 0) as actions_asked,
        coalesce(follow_through.actions_done_in_time, 0) as actions_done_in_time,
        coalesce(overrides.overrides, 0) as overrides,
        coalesce(overrides.person_right, 0) as person_right,
        coalesce(overrides.model_right, 0) as model_right,
        coalesce(spot_checks.spot_checks, 0) as spot_checks,
        coalesce(spot_checks.spot_checks_answered, 0) as spot_checks_answered,
        coalesce(covers.covered_accounts, 0) as covered_accounts,
        covers.covered_by,
        covers.covered_until
    from owners
    left join open_actions on owners.owner_id = open_actions.owner_id
    left join outreach on owners.owner_id = outreach.owner_id
    left join follow_through on owners.owner_id = follow_through.owner_id
    left join overrides on owners.owner_id = overrides.owner_id
    left join spot_checks on owners.owner_id = spot_checks.owner_id
    left join covers on owners.owner_id = covers.owner_id

)

select * from final
