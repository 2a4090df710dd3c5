-- Grain: one row per account and event name: the first and the last day on which it happened, kept as long as
-- the account. `last_purged_date` is the last of the days that user-days no longer have.
with

user_days as (

    select * from {{ ref('int_user_days') }}

){% if is_incremental() %},

changed as (

    select
        account_id,
        event_name,
        min(activity_date) filter (where events > 0) as first_date,
        max(activity_date) filter (where events > 0) as last_date,
        bool_or(events = 0) as has_withdrawn_days,
        max(_batch_id) as _batch_id
    from user_days
    where _batch_id > (select coalesce(max(this_model._batch_id), 0) from {{ this }} as this_model)
    group by account_id, event_name

),

-- a day that lost its last event can be anyone's first or last: only then the kept days are read again
recounted as (

    select
        user_days.account_id,
        user_days.event_name,
        min(user_days.activity_date) as first_date,
        max(user_days.activity_date) as last_date
    from user_days
    inner join changed
        on
            user_days.account_id = changed.account_id
            and user_days.event_name = changed.event_name
    where
        changed.has_withdrawn_days
        and user_days.events > 0
    group by user_days.account_id, user_days.event_name

),

known as (

    select * from {{ this }}

),

final as (

    select
        changed.account_id,
        changed.event_name,
        case
            when not changed.has_withdrawn_days then least(known.first_date, changed.first_date)
            when known.last_purged_date is not null then known.first_date
            else recounted.first_date
        end as first_date,
        case
            when not changed.has_withdrawn_days then greatest(known.last_date, changed.last_date)
            else coalesce(recounted.last_date, known.last_purged_date)
        end as last_date,
        known.last_purged_date,
        changed._batch_id
    from changed
    left join known
        on
            changed.account_id = known.account_id
            and changed.event_name = known.event_name
    left join recounted
        on
            changed.account_id = recounted.account_id
            and changed.event_name = recounted.event_name

)
{%- else %},

final as (

    select
        account_id,
        event_name,
        min(activity_date) filter (where events > 0) as first_date,
        max(activity_date) filter (where events > 0) as last_date,
        cast(null as date) as last_purged_date,
        max(_batch_id) as _batch_id
    from user_days
    group by account_id, event_name

)
{%- endif %}

select * from final
