-- Grain: one row per source id and account that claims it, as the newest batch that names the id says.
-- Two rows of one source id contradict each other; which of them is right is not settled here.
with

ranked as (

    select
        *,
        rank() over (
            partition by source, source_account_id
            order by _batch_id desc
        ) as batch_rank
    from {{ source('crm', 'identities') }}

),

final as (

    select distinct
        source,
        source_account_id,
        account_id
    from ranked
    where batch_rank = 1

)

select * from final
