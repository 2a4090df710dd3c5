-- Grain: one row per account and version. A version without updated_at counts from created_at.
with

versions as (

    select
        *,
        coalesce(updated_at, created_at) as version_at
    from {{ source('crm', 'accounts') }}

),

ranked as (

    select
        *,
        first_value(coalesce(is_deleted, false) and updated_at is null) over (
            partition by account_id
            order by {{ newest_first() }}
        ) as is_deleted_at_all,
        row_number() over (
            partition by account_id, version_at
            order by {{ newest_first() }}
        ) as version_rank
    from versions

),

final as (

    select
        account_id,
        name,
        domain,
        owner_id,
        segment,
        industry,
        country,
        parent_account_id,
        arr_usd,
        lifecycle_stage,
        plan_id,
        created_at,
        updated_at,
        coalesce(is_deleted, false) or is_deleted_at_all as is_deleted,
        version_at
    from ranked
    where version_rank = 1

)

select * from final
