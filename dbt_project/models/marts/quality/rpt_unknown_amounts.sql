-- Grain: one row per feed and currency with amounts of which it is not known what they are in USD: no rate of the
-- currency had begun by their day. Newest versions count; of accounts and subscriptions every version does.
with

unknown_amounts as (

    select
        'billing/invoices' as feed,
        currency,
        amount_in_currency as amount,
        cast(issued_at as date) as amount_date
    from {{ ref('stg_billing__invoices') }}
    where amount_usd is null
    union all
    select
        'billing/payments' as feed,
        currency,
        amount_in_currency as amount,
        cast(attempted_at as date) as amount_date
    from {{ ref('stg_billing__payments') }}
    where amount_usd is null
    union all
    select
        'billing/subscriptions' as feed,
        currency,
        mrr_in_currency as amount,
        cast(started_at as date) as amount_date
    from {{ ref('stg_billing__subscriptions') }}
    where mrr_usd is null
    union all
    select
        'crm/accounts' as feed,
        currency,
        arr_in_currency as amount,
        cast(version_at as date) as amount_date
    from {{ ref('stg_crm__accounts') }}
    where arr_usd is null

),

counted as (

    select
        feed,
        currency,
        count(*) as amounts,
        cast(sum(amount) as double) as amount,
        min(amount_date) as first_date,
        max(amount_date) as last_date
    from unknown_amounts
    where amount is not null
    group by feed, currency

),

final as (

    select
        feed,
        currency,
        amounts,
        amount,
        first_date,
        last_date,
        case
            when currency = 'XXX' then 'correct the currency of these rows in the source, and send them again'
            else
                'add a rate for ' || currency || ' that is valid from ' || cast(first_date as varchar)
                || ' or earlier to seeds/fx_rates.csv'
        end as what_to_do
    from counted

)

select * from final
