-- Grain: one row per delivery of an action: what became of it last, and how often it was tried.
-- A view, so that it is the ledger's state when it is asked and not when it was built. Account fields written to a CRM
-- are not in it: they are compared by content.
-- is_delivered: the destination has it, or may have it and nobody found otherwise.
with

attempts as (

    select
        *,
        row_number() over (
            partition by delivery_key
            order by sequence desc
        ) as attempt_rank,
        max(attempt) over (partition by delivery_key) as attempts
    from {{ source('audit', 'deliveries') }}
    where kind <> 'account'

),

final as (

    select
        delivery_key,
        status,
        carrier as destination,
        message_key,
        recorded_at,
        error,
        as_of_date,
        attempts,
        case when status = 'failed' then next_attempt_at end as not_before,
        status in ('delivered', 'written', 'in_doubt') as is_delivered
    from attempts
    where attempt_rank = 1

)

select * from final
