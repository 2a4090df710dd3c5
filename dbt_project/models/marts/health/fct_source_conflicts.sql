-- Grain: one row per account, as_of_date and field on which sources disagree.
-- Billing wins plan and money, the CRM owner and contacts; what precedence does not decide is used from nobody and
-- goes to a person.
{{ config(materialized='incremental', incremental_strategy='replace_window') }}
with

accounts as (

    select * from {{ ref('int_accounts__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

contradictions as (

    select * from {{ ref('int_contradictions__as_of') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

pulses as (

    select
        *,
        cast(recorded_at as date) as recorded_date
    from {{ ref('stg_crm__pulses') }}
    where owner_id is not null

),

-- a pulse is the newest until the next one, or until it is too old
newest_pulses as (

    select
        account_id,
        owner_id,
        recorded_date as valid_from_date,
        least(
            {{ add_days('recorded_date', 89) }},
            {{ add_days('lead(recorded_date) over (
                partition by account_id
                order by recorded_at, pulse_id
            )', -1) }}
        ) as valid_to_date
    from pulses

),

-- An owner's pulse is the owner's own view, so whoever wrote the newest one takes the account for theirs. The CRM
-- may have been right of the pulse's day and have moved the account since: that is no disagreement.
disputing_pulses as (

    select newest_pulses.*
    from newest_pulses
    inner join {{ ref('int_account_versions') }} as versions
        on
            newest_pulses.account_id = versions.account_id
            and newest_pulses.valid_from_date between versions.valid_from_date and versions.valid_to_date
    where versions.owner_id <> newest_pulses.owner_id

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
        accounts.account_id,
        accounts.as_of_date,
        'owner_id' as field,
        accounts.owner_id as crm_value,
        disputing_pulses.owner_id as other_value,
        'pulses' as other_source,
        'crm' as used_source,
        'The CRM decides owner and contacts' as reason
    from accounts
    inner join disputing_pulses
        on {{ in_interval('disputing_pulses') }}
    where accounts.owner_id <> disputing_pulses.owner_id
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
