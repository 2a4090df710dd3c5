-- Grain: one row per paying account without notice on the landmark date: how many days it was followed, and whether it
-- churned on the last of them. The landmark is the newest date of the grid that the longest term is known of, and the
-- first date where history is shorter. Who is deleted in the CRM before it churns is followed until then. Scores that
-- tie across the end of the tenth are not in it: nothing tells them apart.
with

observations as (

    select observations.*
    from {{ ref('fct_observations') }} as observations
    where observations.left_out_because is null

),

known as (

    select
        {{ add_days('max(known_until_date)', '-cast(' ~ setting('churn_grace_days') ~ ' as integer)') }}
            as followed_until_date
    from {{ ref('int_measured_dates') }}

),

landmark as (

    select
        coalesce(
            max(observations.as_of_date) filter (
                where {{ add_days('observations.as_of_date', var('longest_term')) }} <= known.followed_until_date
            ),
            min(observations.as_of_date)
        ) as landmark_date
    from observations
    cross join known

),

ends as (

    select
        observations.account_id,
        observations.as_of_date as landmark_date,
        observations.bucket,
        count(*) over (order by observations.score) as accounts_to_score,
        count(*) over () as accounts,
        observations.next_churn_date,
        least(
            known.followed_until_date,
            (
                select min(outcomes.outcome_date)
                from {{ ref('fct_outcomes') }} as outcomes
                where
                    outcomes.account_id = observations.account_id
                    and outcomes.outcome = 'deletion'
                    and outcomes.outcome_date > observations.as_of_date
            )
        ) as followed_until_date
    from observations
    inner join landmark
        on observations.as_of_date = landmark.landmark_date
    cross join known

),

final as (

    select
        account_id,
        landmark_date,
        bucket,
        accounts_to_score <= ceil(accounts / 10.0) as is_riskiest_tenth,
        coalesce(next_churn_date <= followed_until_date, false) as has_churned,
        {{ dbt.datediff('landmark_date', 'least(next_churn_date, followed_until_date)', 'day') }} as followed_days
    from ends
    where followed_until_date > landmark_date

)

select * from final
