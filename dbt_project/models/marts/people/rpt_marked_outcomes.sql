-- Grain: one row per account and day that a person marked: was what was recorded for that day right.
with

reviews as (

    select * from {{ ref('int_reviews') }}
    where kind = 'outcome'

),

history as (

    select * from {{ ref('fct_health_history') }}
    where as_of_date in (select reviews.as_of_date from reviews)

),

final as (

    select
        -- ids
        reviews.review_id,
        reviews.account_id,
        reviews.as_of_date,
        history.owner_id,

        -- what was recorded
        history.bucket,
        history.score,

        -- the person's verdict
        reviews.verdict,
        reviews.reason,
        reviews.reviewed_by,
        reviews.reviewed_at
    from reviews
    left join history
        on
            reviews.account_id = history.account_id
            and reviews.as_of_date = history.as_of_date

)

select * from final
