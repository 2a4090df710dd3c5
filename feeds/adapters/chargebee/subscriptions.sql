-- feed: billing/subscriptions
-- Meanings: https://apidocs.chargebee.com/docs/api/subscriptions#subscription_attributes.
--
-- subscription_id <- id: as it is
-- account_id <- customer: chargebee/customers says which account that is
-- plan_id <- items, plan: the item price of type plan; in product catalog 1.0 the plan
-- status <- status: in_trial is trialing; non_renewing is active and ends with its term; future is active and
--     begins later; cancelled; paused; transferred is canceled. Lossy: dunning is a property of invoices, so
--     past_due never comes
-- seats <- items, quantity: the quantity of the plan, where it is over 1
-- mrr_usd <- mrr, unit_price, quantity, period, period_unit: Chargebee's own MRR in minor units; in catalog 1.0
--     without it the plan's unit price times quantity a month; 0 in a trial
-- currency <- currency: as it is
-- started_at <- started_at, start_date, created_at: when it began or will begin
-- current_period_end <- term_end: the end of the term
-- cancel_at_period_end <- status: non_renewing
-- canceled_at <- cancelled_at: when it ended; of a non_renewing one, which is to end, it is left out
-- updated_at <- updated_at: the last change
-- is_deleted <- deleted, _is_deleted: as it is
with

subscriptions as (

    select
        *,
        case
            when json_valid(items) then list_filter(
                json_extract(items, '$[*]'), lambda item: coalesce(item ->> '$.item_type', 'plan') = 'plan'
            )[1]
        end as plan_item
    from source

)

select
    id as subscription_id,
    customer as account_id,
    coalesce(plan_item ->> '$.item_price_id', plan) as plan_id,
    case lower(status)
        when 'in_trial' then 'trialing'
        when 'non_renewing' then 'active'
        when 'future' then 'active'
        when 'cancelled' then 'canceled'
        when 'transferred' then 'canceled'
        else lower(status)
    end as status,
    nullif(coalesce(plan_item ->> '$.quantity', quantity), '1') as seats,
    case
        when lower(status) = 'in_trial' then '0'
        when mrr is not null then from_minor(mrr, currency)
        else cast(cast(
            try_cast(unit_price as double) * coalesce(try_cast(quantity as double), 1)
            / minor_units(currency) / months_of(period_unit, period) as decimal(18, 6)
        ) as varchar)
    end as mrr_usd,
    upper(currency) as currency,
    vendor_time(coalesce(started_at, start_date, created_at)) as started_at,
    vendor_time(term_end) as current_period_end,
    lower(status) = 'non_renewing' as cancel_at_period_end,
    case when lower(status) in ('cancelled', 'transferred') then vendor_time(cancelled_at) end as canceled_at,
    coalesce(vendor_time(updated_at), _extracted_at) as updated_at,
    coalesce(deleted, _is_deleted) as is_deleted,
    _row_number
from subscriptions
