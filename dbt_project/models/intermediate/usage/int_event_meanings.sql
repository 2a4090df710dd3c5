-- Grain: one row per event name of the company, with the event of seeds/product_events.csv that it means.
-- That is the event of the same name, else the only one whose name differs in case, accents, blanks and signs alone.
-- A name that means none is not recognized: it stays as it is, and counts for the measure any alone, as all names do.
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

final as (

    select
        names.event_name,
        coalesce(same.event_name, alike.event_name, names.event_name) as product_event,
        coalesce(same.event_name, alike.event_name) is not null as is_recognized,
        product_events.milestone,
        list_concat(['any'], coalesce(measures.measures, [])) as measures
    from names
    left join product_events as same
        on names.event_name = same.event_name
    left join unambiguous_events as alike
        on {{ folded_name('names.event_name') }} = alike.folded_name
    left join product_events
        on coalesce(same.event_name, alike.event_name) = product_events.event_name
    left join measures
        on coalesce(same.event_name, alike.event_name) = measures.event_name

)

select * from final
