-- Grain: one row per feed whose rows name an account and of which there are any.
-- What landed found its account; what waits did not. Of events the kept days count, of their users the last 30 days.
{% set feeds = [
    ('crm', 'contacts', 'contact_id'),
    ('crm', 'touchpoints', 'contact_id'),
    ('crm', 'milestones', 'null'),
    ('crm', 'goals', 'null'),
    ('crm', 'pulses', 'null'),
    ('billing', 'subscriptions', 'null'),
    ('billing', 'invoices', 'null'),
    ('billing', 'payments', 'null'),
    ('support', 'tickets', 'contact_id'),
    ('comms', 'messages', 'contact_id'),
    ('feedback', 'surveys', 'contact_id')
] -%}
with

landed as (

    {% for system, feed, user in feeds %}
    select
        '{{ system }}/{{ feed }}' as feed,
        count(*) as rows_resolved,
        count(distinct {{ user }}) as users_resolved,
        count(distinct account_id) as ids_resolved
    from {{ source(system, feed) }}
    union all
    {% endfor %}
    select
        'product/events' as feed,
        coalesce(sum(events), 0) as rows_resolved,
        count(distinct user_id) filter (where activity_date > {{ add_days(as_of_end(), -30) }}) as users_resolved,
        count(distinct account_id) as ids_resolved
    from {{ ref('int_user_days') }}

),

unresolved as (

    select
        feed,
        sum(rows_waiting) as rows_waiting,
        sum(users_waiting) as users_waiting,
        count(*) as ids_waiting
    from {{ source('quarantine', 'unresolved_ids') }}
    group by feed

),

largest as (

    select
        feed,
        string_agg(source_account_id || ' (' || rows_waiting || ')', ', ' order by size_rank) as largest_unresolved
    from {{ ref('rpt_unresolved_ids') }}
    group by feed

),

counted as (

    select
        landed.feed,
        cast(landed.rows_resolved as bigint) as rows_resolved,
        cast(landed.rows_resolved + coalesce(unresolved.rows_waiting, 0) as bigint) as rows_total,
        cast(landed.users_resolved as bigint) as users_resolved,
        cast(landed.users_resolved + coalesce(unresolved.users_waiting, 0) as bigint) as users_total,
        cast(landed.ids_resolved as bigint) as ids_resolved,
        cast(landed.ids_resolved + coalesce(unresolved.ids_waiting, 0) as bigint) as ids_total,
        largest.largest_unresolved
    from landed
    left join unresolved
        on landed.feed = unresolved.feed
    left join largest
        on landed.feed = largest.feed

),

final as (

    select
        feed,
        rows_total,
        rows_resolved,
        cast(100 * rows_resolved / rows_total as double) as rows_resolved_pct,
        users_total,
        users_resolved,
        cast(100 * users_resolved / nullif(users_total, 0) as double) as users_resolved_pct,
        ids_total,
        ids_resolved,
        cast(100 * ids_resolved / ids_total as double) as ids_resolved_pct,
        largest_unresolved,
        100 * rows_resolved < {{ setting('join_coverage_limit_pct') }} * rows_total as is_below_limit
    from counted
    where rows_total > 0

)

select * from final
