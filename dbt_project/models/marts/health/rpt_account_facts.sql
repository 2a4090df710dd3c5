-- Grain: one row per contact, ticket, invoice, milestone, touchpoint, survey answer and pulse of a scored account that
-- is still open or is within the var account_facts_days before the newest as-of date.
-- No name, address or text of a person: those are in the source systems, and in the contact store of the panel.
with

accounts as (

    select account_id from {{ ref('rpt_account_health') }}

),

last_contacts as (

    select
        contact_id,
        max(occurred_at) as last_contact_at
    from {{ ref('stg_crm__touchpoints') }}
    where
        cast(occurred_at as date) <= {{ as_of_end() }}
        and not coalesce(is_automated, false)
    group by contact_id

),

contacts as (

    select
        contacts.account_id,
        'contact' as kind,
        contacts.contact_id as fact_id,
        contacts.created_at as happened_at,
        cast(null as timestamp) as closed_at,
        case when contacts.is_active then 'active' when not contacts.is_active then 'left' end as state,
        contacts.role as detail,
        cast(null as double) as amount_usd,
        contacts.contact_id,
        last_contacts.last_contact_at,
        true as is_shown
    from {{ ref('stg_crm__contacts') }} as contacts
    left join last_contacts
        on contacts.contact_id = last_contacts.contact_id
    where {{ not_deleted_by(as_of_end(), 'contacts') }}

),

tickets as (

    select
        account_id,
        'ticket' as kind,
        ticket_id as fact_id,
        opened_at as happened_at,
        resolved_at as closed_at,
        case when open_until_date is null then 'open' else 'resolved' end as state,
        priority as detail,
        cast(null as double) as amount_usd,
        contact_id,
        cast(null as timestamp) as last_contact_at,
        open_until_date is null
        or coalesce(resolved_date, opened_date)
        > {{ add_days(as_of_end(), '-' ~ var('account_facts_days')) }} as is_shown
    from {{ ref('int_tickets') }}
    where
        opened_date <= {{ as_of_end() }}
        and {{ not_deleted_by(as_of_end()) }}

),

invoices as (

    select
        account_id,
        'invoice' as kind,
        invoice_id as fact_id,
        issued_at as happened_at,
        paid_at as closed_at,
        status as state,
        cast(null as varchar) as detail,
        cast(amount_usd as double) as amount_usd,
        cast(null as varchar) as contact_id,
        cast(null as timestamp) as last_contact_at,
        status not in ('paid', 'void')
        or cast(issued_at as date) > {{ add_days(as_of_end(), '-' ~ var('account_facts_days')) }} as is_shown
    from {{ ref('stg_billing__invoices') }}
    where
        cast(issued_at as date) <= {{ as_of_end() }}
        and {{ not_deleted_by(as_of_end()) }}

),

milestones as (

    select
        account_id,
        'milestone' as kind,
        milestone_id as fact_id,
        cast(due_date as timestamp) as happened_at,
        completed_at as closed_at,
        case
            when completed_at is not null then 'met'
            when due_date < {{ as_of_end() }} then 'overdue'
            else 'to come'
        end as state,
        name as detail,
        cast(null as double) as amount_usd,
        cast(null as varchar) as contact_id,
        cast(null as timestamp) as last_contact_at,
        completed_at is null
        or due_date > {{ add_days(as_of_end(), '-' ~ var('account_facts_days')) }} as is_shown
    from {{ ref('stg_crm__milestones') }}
    where {{ not_deleted_by(as_of_end()) }}

),

touchpoints as (

    select
        account_id,
        'touchpoint' as kind,
        touchpoint_id as fact_id,
        occurred_at as happened_at,
        cast(null as timestamp) as closed_at,
        case when is_automated then 'automated' else direction end as state,
        channel as detail,
        cast(null as double) as amount_usd,
        contact_id,
        cast(null as timestamp) as last_contact_at,
        cast(occurred_at as date) > {{ add_days(as_of_end(), '-' ~ var('account_facts_days')) }} as is_shown
    from {{ ref('stg_crm__touchpoints') }}
    where cast(occurred_at as date) <= {{ as_of_end() }}

),

surveys as (

    select
        account_id,
        'survey' as kind,
        response_id as fact_id,
        responded_at as happened_at,
        cast(null as timestamp) as closed_at,
        {{ format_number('score') }} as state,
        kind as detail,
        cast(null as double) as amount_usd,
        contact_id,
        cast(null as timestamp) as last_contact_at,
        cast(responded_at as date) > {{ add_days(as_of_end(), '-' ~ var('account_facts_days')) }} as is_shown
    from {{ ref('stg_feedback__surveys') }}
    where cast(responded_at as date) <= {{ as_of_end() }}

),

pulses as (

    select
        account_id,
        'pulse' as kind,
        pulse_id as fact_id,
        recorded_at as happened_at,
        cast(null as timestamp) as closed_at,
        {{ format_number('sentiment') }} as state,
        cast(null as varchar) as detail,
        cast(null as double) as amount_usd,
        cast(null as varchar) as contact_id,
        cast(null as timestamp) as last_contact_at,
        cast(recorded_at as date) > {{ add_days(as_of_end(), '-' ~ var('account_facts_days')) }} as is_shown
    from {{ ref('stg_crm__pulses') }}
    where cast(recorded_at as date) <= {{ as_of_end() }}

),

facts as (

    select * from contacts
    union all
    select * from tickets
    union all
    select * from invoices
    union all
    select * from milestones
    union all
    select * from touchpoints
    union all
    select * from surveys
    union all
    select * from pulses

),

final as (

    select
        facts.account_id,
        facts.kind,
        facts.fact_id,
        facts.happened_at,
        facts.closed_at,
        facts.state,
        facts.detail,
        facts.amount_usd,
        facts.contact_id,
        facts.last_contact_at
    from facts
    inner join accounts
        on facts.account_id = accounts.account_id
    where facts.is_shown

)

select * from final
