-- Grain: one row per account and as_of_date on which something is not known of this account alone, because rows of it
-- were refused. `unknown_signals`: which signals, each between blanks; `is_customer_unknown`: neither is whether it
-- still is a customer, because the newest version of the account or of a subscription was refused.
{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='append_new_columns') }}
with

final as (

    select
        unknowns.account_id,
        dates.as_of_date,
        ' ' || string_agg(distinct signals.signal, ' ' order by signals.signal) || ' ' as unknown_signals,
        bool_or(unknowns.feed in ('crm/accounts', 'billing/subscriptions')) as is_customer_unknown
    from {{ ref('int_account_unknowns') }} as unknowns
    inner join {{ ref('int_as_of_dates') }} as dates
        on dates.as_of_date between unknowns.valid_from_date and unknowns.valid_to_date
    left join {{ ref('signals') }} as signals
        on ' ' || signals.feeds || ' ' like '% ' || unknowns.feed || ' %'
    group by unknowns.account_id, dates.as_of_date

)

select * from final
