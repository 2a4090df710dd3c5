-- Grain: one row per account whose observations models are fitted to: whole accounts, as many as have together at most
-- `most` account-weeks, so that a history of any size fits into memory. Ids alone decide which.
with

observed as (

    select
        account_id,
        sum(count(*)) over (order by md5(account_id), account_id) as account_weeks_so_far
    from {{ ref('fct_observations') }}
    where left_out_because is null
    group by account_id

),

final as (

    select account_id
    from observed
    where account_weeks_so_far <= {{ var('most') }}

)

select * from final
