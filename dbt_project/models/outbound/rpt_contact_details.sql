-- Grain: one row per contact of a scored account that the CRM has not deleted by the newest as-of date.
-- Not published: names and addresses. A run writes it into the contact store, which the panel alone reads.
with

accounts as (

    select
        account_id,
        owner_id
    from {{ ref('rpt_account_health') }}

),

final as (

    select
        contacts.contact_id,
        contacts.account_id,
        accounts.owner_id,
        contacts.full_name,
        contacts.email
    from {{ ref('stg_crm__contacts') }} as contacts
    inner join accounts
        on contacts.account_id = accounts.account_id
    where {{ not_deleted_by(as_of_end(), 'contacts') }}

)

select * from final
