-- Grain: one row per source id and account that claims it: as a person chose (decided_by), else as in the newest batch
-- that names the id.
-- Two rows of one source id contradict each other; which of them is right is not decided here. A claim whose last
-- row in that batch marks it as deleted is none.
with

ranked as (

    select
        *,
        rank() over (
            partition by lower(source), source_account_id
            order by
                decided_by is not null desc,
                _batch_id desc
        ) as batch_rank,
        row_number() over (
            partition by source, source_account_id, account_id
            order by
                decided_by is not null desc,
                {{ newest_first() }}
        ) as version_rank
    from {{ source('crm', 'identities') }}

),

final as (

    select
        source,
        source_account_id,
        account_id
    from ranked
    where
        batch_rank = 1
        and version_rank = 1
        and not coalesce(is_deleted, false)

)

select * from final
