-- Whose rows are whose, where an account is known by more than one id (crm/identities): ids that are no account, or a
-- deleted one as after a merge in the CRM, each with the living account that alone claims it. A claim of the feed's
-- own source goes before those of others. Claims that contradict each other resolve nothing.
create or replace table raw.account_aliases as
with recursive

accounts as (

    select
        account_id,
        not coalesce(max_by(
            coalesce(is_deleted, false), (coalesce(updated_at, created_at), _batch_id, _source_file, _row_number)
        ), false) as is_living
    from raw.crm_accounts
    group by account_id

),

newest_claims as (

    select distinct
        lower(source) as source,
        source_account_id,
        account_id
    from (
        select
            *,
            rank() over (partition by source, source_account_id order by _batch_id desc) as batch_rank
        from raw.crm_identities
    )
    where batch_rank = 1

),

claims as (

    select newest_claims.*
    from newest_claims
    left join accounts
        on newest_claims.source_account_id = accounts.account_id
    where
        not coalesce(accounts.is_living, false)
        and newest_claims.source_account_id <> newest_claims.account_id

),

own_claims as (

    select
        source,
        source_account_id,
        case when count(distinct account_id) = 1 then min(account_id) end as account_id
    from claims
    group by source, source_account_id

),

any_claims as (

    select
        source_account_id,
        case when count(distinct account_id) = 1 then min(account_id) end as account_id
    from claims
    group by source_account_id

),

sources as (

    select unnest($sources) as source

),

first_steps as (

    select
        sources.source,
        any_claims.source_account_id,
        case when own_claims.source is null then any_claims.account_id else own_claims.account_id end as account_id
    from any_claims
    cross join sources
    left join own_claims
        on
            any_claims.source_account_id = own_claims.source_account_id
            and sources.source = own_claims.source

),

-- an account may be merged into one that is merged in turn; `union` ends where claims go round in a circle
steps as (

    select
        source,
        source_account_id,
        account_id
    from first_steps
    where account_id is not null
    union
    select
        steps.source,
        steps.source_account_id,
        first_steps.account_id
    from steps
    inner join first_steps
        on
            steps.source = first_steps.source
            and steps.account_id = first_steps.source_account_id
    where first_steps.account_id is not null

)

select
    steps.source,
    steps.source_account_id as account_id,
    min(steps.account_id) as resolved_account_id
from steps
inner join accounts
    on steps.account_id = accounts.account_id
where accounts.is_living
group by steps.source, steps.source_account_id
