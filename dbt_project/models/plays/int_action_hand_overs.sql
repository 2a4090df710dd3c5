-- Grain: one row per action that was handed over to whoever does it, with the as-of date of the run that did so first.
-- An alert, a task, a draft to be approved or a guide counts where its destination has it (the outbox of a channel
-- without a secret too), and where it may have it and nobody found otherwise: after a refusal the later attempt counts;
-- after an in-doubt delivery the first one does. So a repeated run or delivery changes no row.
with

deliveries as (

    select
        action_id,
        delivery_key,
        status,
        as_of_date,
        sequence
    from {{ source('audit', 'deliveries') }}
    where kind in ('alert', 'task', 'draft', 'mail', 'guide')

),

refusals as (

    select
        delivery_key,
        max(sequence) as sequence
    from deliveries
    where status in ('failed', 'blocked')
    group by delivery_key

),

final as (

    select
        deliveries.action_id,
        min(deliveries.as_of_date) as handed_over_on
    from deliveries
    left join refusals
        on deliveries.delivery_key = refusals.delivery_key
    where
        deliveries.status in ('attempting', 'in_doubt', 'delivered', 'written')
        and coalesce(deliveries.sequence > refusals.sequence, true)
    group by deliveries.action_id

)

select * from final
