-- Grain: one row per event name of the company that means an event of seeds/product_events.csv.
-- `measures` lists what it counts for. That is the event of the same name, else the only one whose name differs in case, accents, blanks and signs alone.
-- Names are folded here, each once: whatever reads events joins by the name as it came.
with

names as (

    select distinct event_name from {{ ref('int_event_bounds') }}

),

product_events as (

    select * from {{ ref('product_events') }}

),

measures as (

    select
        event_name,
        list(measure order by measure) as measures
    from {{ ref('int_event_measures') }}
    group by event_name

),

unambiguous_events as (

    select
        {{ folded_name('event_name') }} as folded_name,
        min(event_name) as event_name
    from product_events
    group by {{ folded_name('event_name') }}
    having count(*) = 1

),

recognized as (

    select
        names.event_name,
        coalesce(same.event_name, alike.event_name) as product_event
    from names
    left join product_events as same
        on names.event_name = same.event_name
    left join unambiguous_events as alike
        on {{ folded_name('names.event_name') }} = alike.folded_name

),

final as (

    select
        recognized.event_name,
        recognized.product_event,
        product_events.milestone,
        measures.measures
    from recognized
    inner join product_events
        on recognized.product_event = product_events.event_name
    left join measures
        on recognized.product_event = measures.event_name

)

select * from final
