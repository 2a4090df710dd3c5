-- Grain: one row per account and version that was in force at the end of some day, with the name that its owner has
-- now.
with

accounts as (

    select * from {{ ref('stg_crm__accounts') }}

),

versions as (

    {{ version_intervals('accounts', 'account_id', 'version_at') }}

),

final as (

    select
        versions.*,
        owners.name as owner_name
    from versions
    left join {{ ref('stg_crm__owners') }} as owners
        on versions.owner_id = owners.owner_id

)

select * from final
