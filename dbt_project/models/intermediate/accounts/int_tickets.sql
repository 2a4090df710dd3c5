-- Grain: one row per ticket that counts on some day, with the days on which it is open and on which it was resolved.
-- What the newest status means (seeds/ticket_statuses.csv) goes before resolved_at: one that is closed without a time
-- was resolved nobody knows when, and one that is open was not resolved. A status that the seed does not know, or
-- none, leaves it to resolved_at.
with

tickets as (

    select
        *,
        cast(opened_at as date) as opened_date,
        {{ letters_of('status', and_digits=true) }} as status_letters
    from {{ ref('stg_support__tickets') }}

),

statuses as (

    select
        {{ letters_of('status', and_digits=true) }} as status_letters,
        bool_and(is_open) as is_open
    from {{ ref('ticket_statuses') }}
    group by {{ letters_of('status', and_digits=true) }}

),

with_meaning as (

    select
        tickets.*,
        case when not coalesce(statuses.is_open, false) then tickets.resolved_at end as counted_resolved_at,
        not coalesce(statuses.is_open, true) as is_closed,
        case when tickets.status_letters is not null then statuses.is_open is not null end as is_status_known
    from tickets
    left join statuses
        on tickets.status_letters = statuses.status_letters
    where {{ not_deleted_by('tickets.opened_date', 'tickets') }}

),

final as (

    select
        -- ids
        ticket_id,
        account_id,
        contact_id,

        -- state
        priority,
        is_status_known,
        sentiment,
        subject,
        body,
        cast(epoch_us(counted_resolved_at) - epoch_us(opened_at) as decimal(24, 6)) / 1000000 as resolution_seconds,

        -- dates; a ticket is open until open_until_date, and counts until deleted_date
        opened_at,
        counted_resolved_at as resolved_at,
        opened_date,
        cast(counted_resolved_at as date) as resolved_date,
        case
            when counted_resolved_at is not null
                then least(greatest(opened_date, cast(counted_resolved_at as date)), deleted_date)
            when is_closed then opened_date
            else deleted_date
        end as open_until_date,
        deleted_date
    from with_meaning

)

select * from final
