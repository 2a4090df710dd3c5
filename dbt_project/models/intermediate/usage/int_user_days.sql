-- Grain: one row per account, user, day and event name: the summary that outlives raw events.
-- Days that a new batch touches are summed again from the keys; `events` is 0 where every event of a row has
-- since been corrected or deleted. What an event name means is joined later, from the seeds.
with

{% if is_incremental() %}
changed_days as (

    select distinct activity_date
    from {{ ref('int_event_keys') }}
    where _batch_id > (select coalesce(max(this_model._batch_id), 0) from {{ this }} as this_model)

),

{% endif %}
final as (

    select
        account_id,
        user_id,
        event_name,
        activity_date,
        cast(sum(event_count) as bigint) as events,
        max(_batch_id) as _batch_id
    from {{ ref('int_event_keys') }}
    {% if is_incremental() %}
    where activity_date in (select changed_days.activity_date from changed_days)
    {% endif %}
    group by
        account_id,
        user_id,
        event_name,
        activity_date

)

select * from final
