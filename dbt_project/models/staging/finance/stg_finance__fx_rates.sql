-- Grain: one row per currency and day from which a rate is in force, until the next one of the currency is.
-- USD has no row: it needs no rate.
with

final as (

    select
        upper(currency) as currency,
        valid_from,
        usd_per_unit
    from {{ ref('fx_rates') }}

)

select * from final
