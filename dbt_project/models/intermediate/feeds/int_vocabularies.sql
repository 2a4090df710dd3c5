-- Grain: one row per signal and vocabulary that it depends on: words of a company's systems, by the feed that brings
-- them, without which the signal means nothing. Each measure of seeds/signals.csv is one: its event names.
-- `is_used` is false where the reference data gives no word the meaning: the company has nothing of the kind.
-- Statuses, kinds, channels and directions are not here: a row with such a word unknown is refused, and a feed that
-- refuses more than a fifth of its rows is blocked.
with

used_measures as (

    select distinct measure from {{ ref('int_event_measures') }}

),

final as (

    select
        signals.measure as vocabulary,
        'product/events' as feed,
        signals.signal,
        used_measures.measure is not null as is_used
    from {{ ref('signals') }} as signals
    left join used_measures
        on signals.measure = used_measures.measure
    where signals.measure <> 'any'
    union all
    select
        others.vocabulary,
        others.feed,
        others.signal,
        true as is_used
    from (
        values
        ('plan', 'billing/subscriptions', 'is_paid_plan'),
        ('ticket_status', 'support/tickets', 'open_tickets'),
        ('ticket_status', 'support/tickets', 'open_urgent_tickets'),
        ('ticket_status', 'support/tickets', 'fast_resolutions_30d'),
        ('ticket_status', 'support/tickets', 'median_resolution_90d_hours'),
        ('ticket_priority', 'support/tickets', 'open_urgent_tickets'),
        ('contact_role', 'crm/contacts', 'has_active_champion')
    ) as others (vocabulary, feed, signal)

)

select * from final
