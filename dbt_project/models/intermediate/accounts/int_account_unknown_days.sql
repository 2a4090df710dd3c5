-- Grain: one row per account and as_of_date on which something is not known of this account alone, because rows of it
-- were refused, or an amount of it is in a currency without a rate. `unknown_signals`: which signals, each between
-- blanks; `is_customer_unknown`: neither is whether it still is a customer, because the newest version of the account
-- or of a subscription was refused.
{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='append_new_columns') }}
with

unknowns as (

    select
        refused.account_id,
        refused.valid_from_date,
        refused.valid_to_date,
        signals.signal,
        refused.feed in ('crm/accounts', 'billing/subscriptions') as is_customer_unknown
    from {{ ref('int_account_unknowns') }} as refused
    left join {{ ref('signals') }} as signals
        on ' ' || signals.feeds || ' ' like '% ' || refused.feed || ' %'
    union all
    select
        account_id,
        valid_from_date,
        valid_to_date,
        signal,
        false as is_customer_unknown
    from {{ ref('int_unknown_amounts') }}

),

final as (

    select
        unknowns.account_id,
        dates.as_of_date,
        ' ' || string_agg(distinct unknowns.signal, ' ' order by unknowns.signal) || ' ' as unknown_signals,
        bool_or(unknowns.is_customer_unknown) as is_customer_unknown
    from unknowns
    inner join {{ ref('int_as_of_dates') }} as dates
        on dates.as_of_date between unknowns.valid_from_date and unknowns.valid_to_date
    group by unknowns.account_id, dates.as_of_date

)

select * from final
