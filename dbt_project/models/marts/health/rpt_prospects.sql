-- Grain: one row per scored account that has never bought anything: no subscription of it had started by the newest
-- as-of date. A list of its own, because such accounts are quiet for other reasons than customers are.
-- Empty where no scored account has a live subscription: billing is missing, and nobody is known to be a customer.
-- A view: its rows are those of rpt_account_health.
with

health as (

    select * from {{ ref('rpt_account_health') }}

),

buyers as (

    select
        account_id,
        min(valid_from_date) as first_bought_date
    from {{ ref('fct_billing_intervals') }}
    group by account_id

),

customers as (

    select coalesce(bool_or(has_live_subscription), false) as are_known
    from health

),

final as (

    select
        -- ids
        health.account_id,
        health.account_name,
        health.owner_id,
        health.owner_name,
        health.as_of_date,

        -- score
        health.segment,
        health.score,
        health.bucket,
        health.decision,
        health.reason_1,

        -- what next
        health.needs_review,
        health.review_reason
    from health
    cross join customers
    left join buyers
        on
            health.account_id = buyers.account_id
            and health.as_of_date >= buyers.first_bought_date
    where
        customers.are_known
        and buyers.account_id is null

)

select * from final
