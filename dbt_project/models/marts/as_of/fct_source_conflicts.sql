-- Grain: one row per account, as_of_date and field on which sources disagree.
-- Billing wins plan and money; what precedence does not settle is used from nobody and goes to a person.
with

accounts as (

    select * from {{ ref('int_accounts__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

contradictions as (

    select * from {{ ref('int_contradictions__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

final as (

    select
        account_id,
        as_of_date,
        'plan_id' as field,
        crm_plan_id as crm_value,
        billing_plan_id as other_value,
        'billing' as other_source,
        'billing' as used_source,
        'Billing decides plan and money' as reason
    from accounts
    where crm_plan_id <> billing_plan_id
    union all
    select
        account_id,
        as_of_date,
        'arr_usd' as field,
        {{ format_number('crm_arr_usd') }} as crm_value,
        {{ format_number('billing_arr_usd') }} as other_value,
        'billing' as other_source,
        'billing' as used_source,
        'Billing decides plan and money' as reason
    from accounts
    where abs(crm_arr_usd - billing_arr_usd) * 100 > {{ setting('arr_tolerance_pct') }} * billing_arr_usd
    union all
    select
        account_id,
        as_of_date,
        'lifecycle_stage' as field,
        'churned' as crm_value,
        'live subscription' as other_value,
        'billing' as other_source,
        cast(null as {{ dbt.type_string() }}) as used_source,
        reason
    from contradictions
    where is_lifecycle_disputed
    union all
    select
        account_id,
        as_of_date,
        'account_id' as field,
        account_id as crm_value,
        disputed_id as other_value,
        'identities' as other_source,
        cast(null as {{ dbt.type_string() }}) as used_source,
        'The source id is claimed by two accounts' as reason
    from contradictions
    where disputed_id is not null

)

select * from final
