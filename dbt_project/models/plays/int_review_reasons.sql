-- Grain: one row per account and scored date of this build on which a person decides before anything is done, with all
-- the reasons that the person reads.
with

stop_reasons as (

    select * from {{ ref('int_stop_reasons') }}
    where review_text is not null

),

final as (

    select
        account_id,
        as_of_date,
        string_agg(review_text, '; ' order by position) as review_reason
    from stop_reasons
    group by account_id, as_of_date

)

select * from final
