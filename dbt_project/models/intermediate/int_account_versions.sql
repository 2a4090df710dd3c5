-- Grain: one row per account and version that was in force at the end of some day.
with

accounts as (

    select * from {{ ref('stg_crm__accounts') }}

),

final as (

    {{ version_intervals('accounts', 'account_id', 'version_at') }}

)

select * from final
