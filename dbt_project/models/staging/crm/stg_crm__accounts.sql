-- Grain: one row per account and version. A version without updated_at counts from created_at.
-- Its amount is converted by the rate of the day on which the version began.
-- An account that was merged into another one without a word in its own rows, as HubSpot does it, is deleted in all of
-- its versions: what it had counts for the other.
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
        first_value(coalesce(is_deleted, false)) over (
            partition by account_id
            order by {{ newest_first('version_at') }}
        ) as is_deleted_now,
        row_number() over (
            partition by account_id, version_at
            order by {{ newest_first() }}
        ) as version_rank
    from versions

),

final as (

    select
        ranked.account_id,
        ranked.name,
        ranked.domain,
        ranked.owner_id,
        ranked.segment,
        ranked.industry,
        ranked.country,
        ranked.language,
        ranked.parent_account_id,
        {{ amount_in_usd('arr_usd') }},
        ranked.lifecycle_stage,
        ranked.plan_id,
        ranked.created_at,
        ranked.updated_at,
        coalesce(ranked.is_deleted, false)
        or ranked.is_deleted_at_all
        or (merged_accounts.account_id is not null and not ranked.is_deleted_now) as is_deleted,
        ranked.version_at
    from ranked
    {{ join_rate('version_at') }}
    left join {{ source('crm', 'account_aliases') }} as merged_accounts
        on
            ranked.account_id = merged_accounts.account_id
            and merged_accounts.source = 'crm'
    where ranked.version_rank = 1

)

select * from final
