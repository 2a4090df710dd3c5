-- Grain: one row per account id of the product whose events may count on a day of this build: that of an account that
-- may be scored, or another id of one (raw.account_aliases), whose events count for `counted_account_id`.
-- Rows of millions are grouped and sorted by `account_number`, which takes less time than by a text.
with

-- not asked of int_accounts__as_of: the two are then built at the same time
accounts as (

    select distinct versions.account_id
    from {{ ref('int_account_versions') }} as versions
    left join {{ ref('int_subscription_states') }} as churned
        on
            versions.account_id = churned.account_id
            and churned.is_churned
            and churned.valid_from_date <= {{ signals_start() }}
            and churned.valid_to_date >= {{ as_of_end() }}
    where
        not versions.is_deleted
        and cast(versions.created_at as date) <= {{ as_of_end() }}
        and versions.valid_from_date <= {{ as_of_end() }}
        and versions.valid_to_date >= {{ signals_start() }}
        and churned.account_id is null

),

numbered as (

    select
        account_id,
        cast(row_number() over (order by account_id) as integer) as account_number
    from accounts

),

final as (

    select
        account_id,
        account_id as counted_account_id,
        account_number
    from numbered
    union all
    select
        aliases.account_id,
        numbered.account_id as counted_account_id,
        numbered.account_number
    from {{ source('crm', 'account_aliases') }} as aliases
    inner join numbered
        on aliases.resolved_account_id = numbered.account_id
    where aliases.source = 'product'

)

select * from final
