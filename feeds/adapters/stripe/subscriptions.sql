-- feed: billing/subscriptions
-- Meanings: https://docs.stripe.com/api/subscriptions/object, https://docs.stripe.com/billing/subscriptions/overview.
--
-- subscription_id <- id: the subscription's own id
-- account_id <- customer: the customer pays; stripe/customers says which account that is (crm/identities)
-- plan_id <- items, plan_product, plan_id, metadata_plan: the product of the item with the most revenue (prices of
--     one product are one plan, monthly and yearly); metadata plan_id of subscription or price goes first; without
--     a product the price
-- status <- status, pause_collection: unpaid is past_due; incomplete (the first payment is due) is paused;
--     incomplete_expired is canceled; with pause_collection it is paused, which Stripe does not say in status
-- seats <- metadata_seats, quantity, items: the greatest quantity of an item, where it is over 1: a flat price has
--     quantity 1 and no seats; metadata seats goes first
-- mrr_usd <- items, plan_amount, amount_in_units, percent_off: amount times quantity a month, all items; minor
--     units by currency; 0 in a trial, as Stripe's own MRR; empty for tiered or metered prices alone. Lossy:
--     coupons with an amount off, coupons that are not expanded (discounts), taxes
-- currency <- currency: as it is
-- started_at <- start_date, created: may be backdated
-- current_period_end <- current_period_end, items: of the subscription, in newer API versions of its items (the
--     earliest)
-- cancel_at_period_end <- cancel_at_period_end, cancel_at: also where it ends on another date that is set
-- canceled_at <- ended_at, canceled_at: when it ended; canceled_at alone is when it was asked for
-- card_expires_on <- card_year, card_month: the last day of the month; only where default_payment_method is expanded
-- updated_at <- created: a subscription has no time of its last change: it is the event's, the loading tool's or
--     the one in the file's name, and never before the latest time of the past in the record
-- is_deleted <- _is_deleted: of loading tools; a canceled subscription is not deleted
with

subscriptions as (

    select
        *,
        case
            when json_valid(items)
                then coalesce(nullif(json_extract(items, '$.data[*]'), []), json_extract(items, '$[*]'))
        end as item_list
    from source
    where lower(coalesce(livemode, 'true')) <> 'false'

),

items as (

    select
        subscriptions._row_number,
        subscriptions.currency,
        item ->> '$.price.metadata.plan_id' as metadata_plan,
        coalesce(item ->> '$.price.product.id', item ->> '$.price.product', item ->> '$.plan.product') as product,
        coalesce(item ->> '$.price.id', item ->> '$.plan.id', item ->> '$.price') as price,
        try_cast(coalesce(item ->> '$.quantity', '1') as double) as quantity,
        try_cast(coalesce(
            item ->> '$.price.unit_amount_decimal', item ->> '$.price.unit_amount',
            item ->> '$.plan.amount_decimal', item ->> '$.plan.amount'
        ) as double) as unit_amount,
        coalesce(item ->> '$.price.recurring.interval', item ->> '$.plan.interval') as unit,
        coalesce(item ->> '$.price.recurring.interval_count', item ->> '$.plan.interval_count') as intervals,
        coalesce(item ->> '$.price.recurring.usage_type', item ->> '$.plan.usage_type') = 'metered' as is_metered,
        item ->> '$.current_period_end' as period_end
    from subscriptions, unnest(item_list) as listed (item)

    union all by name

    -- a table or an export has the one plan in columns of its own
    select
        _row_number,
        currency,
        plan_product as product,
        plan_id as price,
        try_cast(coalesce(quantity, '1') as double) as quantity,
        coalesce(
            try_cast(plan_amount as double), try_cast(plain_number(amount_in_units) as double) * minor_units(currency)
        ) as unit_amount,
        plan_interval as unit,
        plan_interval_count as intervals,
        false as is_metered
    from subscriptions
    where len(coalesce(item_list, [])) = 0 and coalesce(plan_id, plan_product, plan_amount, amount_in_units) is not null

),

revenues as (

    select
        *,
        unit_amount * quantity / minor_units(currency) / months_of(unit, intervals) as monthly
    from items

),

totals as (

    select
        _row_number,
        max_by(coalesce(metadata_plan, product, price), (coalesce(monthly, -1), price)) as plan_id,
        max(quantity) filter (where not coalesce(is_metered, false)) as quantity,
        case
            when count(*) filter (where not coalesce(is_metered, false) and monthly is null) = 0
                then sum(monthly) filter (where not coalesce(is_metered, false))
        end as monthly,
        min(period_end) as period_end
    from revenues
    group by _row_number

)

select
    id as subscription_id,
    customer as account_id,
    coalesce(metadata_plan, totals.plan_id) as plan_id,
    case
        when
            lower(status) in ('active', 'trialing', 'past_due', 'unpaid')
            and pause_collection is not null
            then 'paused'
        when lower(status) = 'unpaid' then 'past_due'
        when lower(status) = 'incomplete' then 'paused'
        when lower(status) = 'incomplete_expired' then 'canceled'
        else status
    end as status,
    coalesce(metadata_seats, cast(cast(nullif(totals.quantity, 1) as bigint) as varchar)) as seats,
    case
        when lower(status) = 'trialing' then '0'
        else cast(cast(
            totals.monthly
            * case
                when coalesce(coupon_duration, '') <> 'once' then 1 - coalesce(try_cast(percent_off as double), 0) / 100
                else 1
            end as decimal(18, 6)
        ) as varchar)
    end as mrr_usd,
    upper(currency) as currency,
    vendor_time(coalesce(start_date, created)) as started_at,
    vendor_time(coalesce(current_period_end, totals.period_end)) as current_period_end,
    is_true(cancel_at_period_end) or cancel_at is not null as cancel_at_period_end,
    vendor_time(coalesce(ended_at, case when lower(status) = 'canceled' then canceled_at end)) as canceled_at,
    last_day(try_cast(card_year || '-' || lpad(card_month, 2, '0') || '-01' as date)) as card_expires_on,
    greatest(
        moment(_extracted_at), moment(created), moment(canceled_at), moment(ended_at)
    ) as updated_at,
    _is_deleted as is_deleted,
    subscriptions._row_number
from subscriptions
left join totals
    on subscriptions._row_number = totals._row_number
