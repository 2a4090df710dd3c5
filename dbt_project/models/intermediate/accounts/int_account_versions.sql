-- Grain: one row per account and version that was in force at the end of some day, with the name that its owner has
-- now, whether it is no customer according to the CRM, and why it is left out of everything where it is.
with

accounts as (

    select * from {{ ref('stg_crm__accounts') }}

),

versions as (

    {{ version_intervals('accounts', 'account_id', 'version_at') }}

),

stages as (

    select distinct {{ letters_of('lifecycle_stage') }} as stage_letters
    from {{ ref('not_customers') }}

),

excluded_accounts as (

    select
        account_id,
        version_at,
        min(reason) as reason
    from {{ ref('int_excluded_accounts') }}
    group by account_id, version_at

),

final as (

    select
        versions.*,
        owners.name as owner_name,
        stages.stage_letters is not null as is_no_customer,
        excluded_accounts.reason as excluded_because
    from versions
    left join stages
        on {{ letters_of('versions.lifecycle_stage') }} = stages.stage_letters
    left join excluded_accounts
        on
            versions.account_id = excluded_accounts.account_id
            and versions.version_at = excluded_accounts.version_at
    left join {{ ref('stg_crm__owners') }} as owners
        on
            versions.owner_id = owners.owner_id
            and {{ not_deleted_by(as_of_end(), 'owners') }}

)

select * from final
