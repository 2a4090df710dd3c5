-- Grain: one row per account and day on which a person judged whether a flag was right: signing off, in a spot check,
-- or of an outcome in hindsight. Of several about one day, one that disagrees counts.
with

reviews as (

    select
        account_id,
        as_of_date as judged_date,
        verdict in ('agree', 'right') as is_needed
    from {{ ref('int_reviews') }}
    where
        (kind in ('sign_off', 'spot_check') and verdict in ('agree', 'disagree'))
        or (kind = 'outcome' and verdict in ('right', 'wrong'))

),

final as (

    select
        account_id,
        judged_date,
        bool_and(is_needed) as is_needed
    from reviews
    group by account_id, judged_date

)

select * from final
