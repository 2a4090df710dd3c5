-- Grain: one row per account and day on which a person of ours reached out: an outbound contact or a meeting, by an
-- owner, nothing automated.
with

touchpoints as (

    select
        account_id,
        cast(occurred_at as date) as outreach_date
    from {{ ref('stg_crm__touchpoints') }}
    where {{ is_personal_outreach() }}

),

final as (

    select distinct
        account_id,
        outreach_date
    from touchpoints

)

select * from final
