-- Grain: one row per scored account and as_of_date on which sources contradict each other in a way that
-- precedence does not decide.
{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='append_new_columns') }}
with

accounts as (

    select * from {{ ref('int_accounts__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

identities as (

    select * from {{ ref('stg_crm__identities') }}

),

claimed_twice as (

    select
        source,
        source_account_id
    from identities
    where lower(source) <> 'domain'  -- companies may share a mail domain; it then names none of them
    group by source, source_account_id
    having count(distinct account_id) > 1

),

disputed_accounts as (

    select
        identities.account_id,
        min(identities.source || ' id ' || identities.source_account_id) as disputed_id
    from identities
    inner join claimed_twice
        on
            identities.source = claimed_twice.source
            and identities.source_account_id = claimed_twice.source_account_id
    group by identities.account_id

),

final as (

    select
        accounts.account_id,
        accounts.as_of_date,
        accounts.has_live_subscription and accounts.is_churned_in_crm as is_lifecycle_disputed,
        disputed_accounts.disputed_id,
        case
            when accounts.has_live_subscription and accounts.is_churned_in_crm
                then 'The CRM says churned, billing has a live subscription'
            else 'The ' || disputed_accounts.disputed_id || ' is claimed by two accounts'
        end as reason
    from accounts
    left join disputed_accounts
        on accounts.account_id = disputed_accounts.account_id
    where
        (accounts.has_live_subscription and accounts.is_churned_in_crm)
        or disputed_accounts.account_id is not null

)

select * from final
