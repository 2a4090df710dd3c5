-- Grain: one row per change of an event: +1 where it counts for an account, user, day and name, -1 where an
-- event that came again with other values, or as deleted, no longer does. The sum over an event's rows is what counts.
-- An event is one event_identity of one account: ids that count per account are never taken for one another.
-- Only rows of batches that are newer than the table are read, so a new day costs a day.

-- Named where it is read: a CTE that several read would be in memory whole.
{% set is_new = "new_rows._batch_id > (select coalesce(max(known._batch_id), 0) from " ~ this ~ " as known)"
    if is_incremental() else "true" %}
with

keys_landed_twice as (

    select new_rows.passing_key
    from {{ ref('stg_product__events') }} as new_rows
    where {{ is_new }}
    group by new_rows.passing_key
    having count(*) > 1

),

landed_once as (

    select new_rows.*
    from {{ ref('stg_product__events') }} as new_rows
    left join keys_landed_twice
        on new_rows.passing_key = keys_landed_twice.passing_key
    where
        keys_landed_twice.passing_key is null
        and {{ is_new }}

),

landed_twice as (

    select
        new_rows.*,
        row_number() over (
            partition by new_rows.passing_key
            order by {{ newest_first() }}
        ) as version_rank
    from {{ ref('stg_product__events') }} as new_rows
    inner join keys_landed_twice
        on new_rows.passing_key = keys_landed_twice.passing_key
    where {{ is_new }}

),

-- the key, 64 bits of the MD5 of an event's id, is made last: it costs more than all that comes before
newest as (

    select
        {{ key_of_text('event_identity') }} as event_key,
        account_id,
        user_id,
        event_name,
        activity_date,
        is_deleted,
        _batch_id
    from (
        select
            event_identity,
            account_id,
            user_id,
            event_name,
            activity_date,
            is_deleted,
            _batch_id
        from landed_once
        union all
        select
            event_identity,
            account_id,
            user_id,
            event_name,
            activity_date,
            is_deleted,
            _batch_id
        from landed_twice
        where version_rank = 1
    ) as newest_versions

),
{% if is_incremental() %}

new_keys as (

    select {{ key_of_text('new_rows.event_identity') }} as event_key
    from {{ ref('stg_product__events') }} as new_rows
    where {{ is_new }}

),

counted as (

    select
        event_key,
        account_id,
        user_id,
        event_name,
        activity_date
    from {{ this }}
    where event_key in (select new_keys.event_key from new_keys)
    group by
        event_key,
        account_id,
        user_id,
        event_name,
        activity_date
    having sum(event_count) > 0

),

compared as (

    select
        newest.*,
        counted.event_key as counted_key,
        counted.account_id as counted_account_id,
        counted.user_id as counted_user_id,
        counted.event_name as counted_event_name,
        counted.activity_date as counted_activity_date,
        coalesce(
            not newest.is_deleted
            and coalesce(newest.user_id, '') = coalesce(counted.user_id, '')
            and newest.event_name = counted.event_name
            and newest.activity_date = counted.activity_date,
            false
        ) as is_repeat
    from newest
    left join counted
        on
            newest.event_key = counted.event_key
            and newest.account_id = counted.account_id

),

final as (

    select
        event_key,
        account_id,
        user_id,
        event_name,
        activity_date,
        1 as event_count,
        _batch_id
    from compared
    where
        not is_repeat
        and not is_deleted
    union all
    select
        event_key,
        counted_account_id as account_id,
        counted_user_id as user_id,
        counted_event_name as event_name,
        counted_activity_date as activity_date,
        -1 as event_count,
        _batch_id
    from compared
    where
        not is_repeat
        and counted_key is not null

)

{% else %}

final as (

    select
        event_key,
        account_id,
        user_id,
        event_name,
        activity_date,
        1 as event_count,
        _batch_id
    from newest
    where not is_deleted

)

{% endif %}
select * from final
