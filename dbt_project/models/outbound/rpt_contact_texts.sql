-- Grain: one row per ticket, survey answer and pulse in rpt_account_facts that has words.
-- Not published: what people wrote. A run writes it into the contact store, which the panel alone reads.
-- Guarantees that nothing is here of a contact that the CRM has deleted, with or without a date.
with

accounts as (

    select
        account_id,
        owner_id
    from {{ ref('rpt_account_health') }}

),

deleted_contacts as (

    select contact_id
    from {{ source('crm', 'contacts') }}
    where is_deleted
    except
    select contact_id
    from {{ ref('stg_crm__contacts') }}
    where {{ not_deleted_by(as_of_end()) }}

),

texts as (

    select
        'ticket' as kind,
        ticket_id as object_id,
        subject as title,
        body as text
    from {{ ref('int_tickets') }}
    union all
    select
        'survey' as kind,
        response_id as object_id,
        cast(null as varchar) as title,
        comment as text
    from {{ ref('stg_feedback__surveys') }}
    union all
    select
        'pulse' as kind,
        pulse_id as object_id,
        cast(null as varchar) as title,
        note as text
    from {{ ref('stg_crm__pulses') }}

),

final as (

    select
        facts.account_id,
        accounts.owner_id,
        texts.kind,
        texts.object_id,
        texts.title,
        texts.text
    from texts
    inner join {{ ref('rpt_account_facts') }} as facts
        on
            texts.kind = facts.kind
            and texts.object_id = facts.fact_id
    inner join accounts
        on facts.account_id = accounts.account_id
    left join deleted_contacts
        on facts.contact_id = deleted_contacts.contact_id
    where
        deleted_contacts.contact_id is null
        and (texts.title is not null or texts.text is not null)

)

select * from final
