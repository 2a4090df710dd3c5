-- Grain: one row per landed event row; the same event may be here more than once (int_event_keys decides).
-- `event_identity` is its id, unless seeds/feeds.csv names more columns as the key. `passing_key` is for use within one
-- query: its hash may differ from release to release, so it is never stored.
with

final as (

    select
        {{ event_identity() }} as event_identity,
        {{ passing_hash([event_identity(), 'account_id']) }} as passing_key,
        account_id,
        user_id,
        event_name,
        cast(occurred_at as date) as activity_date,
        coalesce(is_deleted, false) as is_deleted,
        _batch_id,
        _source_file,
        _row_number
    from {{ source('product', 'events') }}

)

select * from final
