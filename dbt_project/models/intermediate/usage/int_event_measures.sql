-- Grain: one row per event of seeds/product_events.csv and measure of seeds/signals.csv that it counts for. Four measures
-- have a column of their own, milestones are named, and `measures` lists those that an installation adds.
with

product_events as (

    select * from {{ ref('product_events') }}

),

final as (

    select event_name, 'login' as measure from product_events
    where is_login
    union all
    select event_name, 'key_feature' as measure from product_events
    where is_key_feature
    union all
    select event_name, 'premium' as measure from product_events
    where is_premium
    union all
    select event_name, 'advanced' as measure from product_events
    where is_advanced
    union all
    select event_name, 'milestone' as measure from product_events
    where milestone is not null
    union all
    select distinct event_name, unnest(string_split(measures, ' ')) as measure from product_events
    where measures is not null

)

select * from final
