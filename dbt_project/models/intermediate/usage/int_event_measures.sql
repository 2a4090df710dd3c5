-- Grain: one row per event of seeds/product_events.csv and measure of seeds/signals.csv that it counts for. Four
-- measures have a column of their own, milestones are named, and `measures` lists those that an installation adds.
with

product_events as (

    select
        event_name,
        [
            case when is_login then 'login' end,
            case when is_key_feature then 'key_feature' end,
            case when is_premium then 'premium' end,
            case when is_advanced then 'advanced' end,
            case when milestone is not null then 'milestone' end
        ] as marks,
        coalesce(string_split(measures, ' '), []) as measures
    from {{ ref('product_events') }}

),

unnested as (

    select distinct
        event_name,
        unnest(list_concat(marks, measures)) as measure
    from product_events

),

final as (

    select
        event_name,
        measure
    from unnested
    where measure is not null

)

select * from final
