-- Grain: one row per feed and id for which rows wait: those of each feed for which most do.
with

unresolved as (

    select
        *,
        row_number() over (
            partition by feed
            order by rows_waiting desc, account_id asc
        ) as size_rank
    from {{ source('quarantine', 'unresolved_ids') }}

),

candidates as (

    select
        source,
        source_account_id,
        count(*) as candidates
    from {{ ref('dim_account_links') }}
    where not is_linked
    group by source, source_account_id

),

final as (

    select
        unresolved.feed,
        unresolved.source,
        unresolved.account_id as source_account_id,
        cast(unresolved.size_rank as integer) as size_rank,
        unresolved.rows_waiting,
        unresolved.users_waiting,
        coalesce(candidates.candidates, 0) as candidates,
        unresolved.first_waiting_at
    from unresolved
    left join candidates
        on
            unresolved.source = candidates.source
            and unresolved.account_id = candidates.source_account_id
    where unresolved.size_rank <= {{ setting('unresolved_ids_rows') }}

)

select * from final
