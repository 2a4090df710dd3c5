-- Whose ids are whose, where an account is known by more than one id: raw.account_links, one row per source, id that is
-- no living account and account that it may be. A claim of crm/identities goes before an e-mail address of a contact,
-- and that before a domain; an account that the CRM has goes before a deleted one. `is_linked`: no other account may be
-- meant; else a person chooses (decided_by). Claims of the feed's own source go before those of others, and claims that
-- contradict each other resolve nothing. An address that seeds/excluded.csv names is nobody's, and a contact that it
-- leaves out has none: what comes under one of a domain of our own goes to the account with that domain.
create or replace table raw.account_links as
with recursive

-- accounts of which the CRM claims in a later batch than their newest row that they are another one: merged into it, so
-- that no file brings them any more
merges as (

    select
        source_account_id as account_id,
        max(_batch_id) as batch_id
    from raw.crm_identities
    where
        lower(source) = 'crm'
        and source_account_id <> account_id
        and not coalesce(is_deleted, false)
    group by source_account_id

),

accounts as (

    select
        account_id,
        not coalesce(max_by(
            coalesce(is_deleted, false), (coalesce(updated_at, created_at), _batch_id, _source_file, _row_number)
        ), false)
        and max(_batch_id) >= coalesce(max(merges.batch_id), 0) as is_living,
        link_domain(
            max_by(domain, (coalesce(updated_at, created_at), _batch_id, _source_file, _row_number))
        ) as domain
    from raw.crm_accounts
    left join merges using (account_id)
    group by account_id

),

-- what a person chose goes before what files claim
newest_claims as (

    select distinct
        lower(source) as source,
        link_id(source_account_id) as source_account_id,
        link_id(account_id) as account_id
    from (
        select
            *,
            rank() over (
                partition by lower(source), link_id(source_account_id)
                order by decided_by is not null desc, _batch_id desc
            ) as claim_rank,
            row_number() over (
                partition by lower(source), link_id(source_account_id), account_id
                order by decided_by is not null desc, _batch_id desc, _source_file desc, _row_number desc
            ) as version_rank
        from raw.crm_identities
    )
    where
        claim_rank = 1
        and version_rank = 1
        and not coalesce(is_deleted, false)

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
        case when count(distinct account_id) = 1 then min(account_id) end as account_id,
        bool_and(source = 'domain') as is_of_domain
    from claims
    group by source_account_id

),

sources as (

    select unnest($sources) as source
    union
    select source from claims

),

-- account_id is null where claims contradict each other
first_steps as (

    select
        sources.source,
        any_claims.source_account_id,
        case when own_claims.source is null then any_claims.account_id else own_claims.account_id end as account_id,
        any_claims.is_of_domain
    from any_claims
    cross join sources
    left join own_claims
        on
            any_claims.source_account_id = own_claims.source_account_id
            and sources.source = own_claims.source

),

-- addresses and domains by which feeds name accounts, and that nobody claims
named as (

    select distinct
        noted.source,
        link_id(noted.account_id) as account_id
    from control.ids_by_domain as noted
    left join any_claims
        on link_id(noted.account_id) = any_claims.source_account_id
    left join accounts
        on noted.account_id = accounts.account_id
    where
        any_claims.source_account_id is null
        and accounts.account_id is null

),

-- an account may be merged into one that is merged in turn; `union` ends where claims go round in a circle
steps as (

    select
        source,
        source_account_id as account_id,
        source_account_id as reached_id,
        false as is_by_domain
    from first_steps
    union
    select
        source,
        account_id,
        account_id as reached_id,
        false as is_by_domain
    from named
    union
    select
        steps.source,
        steps.account_id,
        first_steps.account_id as reached_id,
        steps.is_by_domain or first_steps.is_of_domain as is_by_domain
    from steps
    inner join first_steps
        on
            steps.source = first_steps.source
            and steps.reached_id = first_steps.source_account_id
    where first_steps.account_id is not null

),

-- where the claims end: at an account, at a contradiction, or at an address or domain that nobody claims
ends as (

    select
        steps.*,
        first_steps.source is not null as is_contradicted,
        accounts.account_id is not null as is_account
    from steps
    left join first_steps
        on
            steps.source = first_steps.source
            and steps.reached_id = first_steps.source_account_id
    left join accounts
        on steps.reached_id = accounts.account_id
    where first_steps.account_id is null

),

excluded as (

    select
        'email' as kind,
        unnest(cast($excluded_emails as varchar[])) as value
    union all
    select
        'email_domain' as kind,
        unnest(cast($excluded_domains as varchar[])) as value

),

addresses as (

    select distinct ends.reached_id as link_id
    from ends
    left join accounts
        on ends.reached_id = accounts.account_id
    left join excluded
        on
            excluded.kind = 'email'
            and ends.reached_id = link_id(excluded.value)
    where
        excluded.value is null
        and not ends.is_contradicted
        and accounts.account_id is null
        and (contains(ends.reached_id, '@') or contains(ends.reached_id, '.'))

),

-- an account, or an id that claims lead to an account
resolved_by_claims as (

    select
        account_id,
        account_id as resolved_account_id
    from accounts
    where account_id not in (select any_claims.source_account_id from any_claims)
    union
    select
        account_id,
        reached_id as resolved_account_id
    from ends
    where
        is_account
        and source = 'crm'

),

-- as staging.stg_crm__excluded_contacts, which is not built when files land
excluded_contacts as (

    select contacts.contact_id
    from raw.crm_contacts as contacts
    inner join excluded
        on
            (excluded.kind = 'email' and lower(trim(contacts.email)) = excluded.value)
            or (
                excluded.kind = 'email_domain'
                and '.' || split_part(lower(trim(contacts.email)), '@', -1) like '%.' || excluded.value
            )

),

newest_contacts as (

    select
        contacts.account_id,
        contacts.email,
        contacts.is_deleted
    from raw.crm_contacts as contacts
    where contacts.contact_id in (
        select known.contact_id
        from raw.crm_contacts as known
        inner join addresses
            on link_id(known.email) = addresses.link_id
    )
    and contacts.contact_id not in (select excluded_contacts.contact_id from excluded_contacts)
    qualify row_number() over (
        partition by contacts.contact_id
        order by
            contacts.updated_at desc nulls last,
            contacts._batch_id desc,
            contacts._source_file desc,
            contacts._row_number desc
    ) = 1

),

by_email as (

    select distinct
        addresses.link_id,
        resolved_by_claims.resolved_account_id
    from addresses
    inner join newest_contacts
        on addresses.link_id = link_id(newest_contacts.email)
    inner join resolved_by_claims
        on newest_contacts.account_id = resolved_by_claims.account_id
    where not coalesce(newest_contacts.is_deleted, false)

),

company_domains as (

    select
        addresses.link_id,
        link_domain(addresses.link_id) as domain
    from addresses
    where
        addresses.link_id not in (select by_email.link_id from by_email)
        and link_domain(addresses.link_id) not in (select unnest($free_mail))

),

-- a claimed domain is whose claims say, or nobody's; any other is that of the accounts that have it
by_domain as (

    select distinct
        company_domains.link_id,
        resolved_by_claims.resolved_account_id
    from company_domains
    inner join claims
        on company_domains.domain = claims.source_account_id
    inner join resolved_by_claims
        on claims.account_id = resolved_by_claims.account_id
    union
    select
        company_domains.link_id,
        accounts.account_id as resolved_account_id
    from company_domains
    inner join accounts
        on company_domains.domain = accounts.domain
    where company_domains.domain not in (select claims.source_account_id from claims)

),

candidates as (

    select
        source,
        account_id,
        reached_id as resolved_account_id,
        case when is_by_domain then 'domain' else 'identity' end as rule,
        false as is_contradicted
    from ends
    where is_account
    union
    select
        ends.source,
        ends.account_id,
        claims.account_id as resolved_account_id,
        case when ends.is_by_domain or claims.source = 'domain' then 'domain' else 'identity' end as rule,
        true as is_contradicted
    from ends
    inner join claims
        on ends.reached_id = claims.source_account_id
    inner join accounts
        on claims.account_id = accounts.account_id
    where ends.is_contradicted
    union
    select
        ends.source,
        ends.account_id,
        by_email.resolved_account_id,
        case when ends.is_by_domain then 'domain' else 'email' end as rule,
        false as is_contradicted
    from ends
    inner join by_email
        on ends.reached_id = by_email.link_id
    union
    select
        ends.source,
        ends.account_id,
        by_domain.resolved_account_id,
        'domain' as rule,
        false as is_contradicted
    from ends
    inner join by_domain
        on ends.reached_id = by_domain.link_id

),

-- of accounts of which the CRM has deleted some, the others
present_candidates as (

    select candidates.*
    from candidates
    inner join accounts
        on candidates.resolved_account_id = accounts.account_id
    qualify accounts.is_living or not bool_or(accounts.is_living) over (
        partition by candidates.source, candidates.account_id
    )

),

-- ids that feeds or claims of this source have; what a claim leads to is asked of every source, and nobody's own
own_ids as (

    select
        source,
        source_account_id as account_id
    from claims
    union
    select
        source,
        account_id
    from named
    where source <> 'crm' or account_id not in (select claims.account_id from claims)

)

select
    candidates.source,
    candidates.account_id,
    candidates.resolved_account_id,
    min(candidates.rule) as rule,
    not bool_or(candidates.is_contradicted) and count(*) over (
        partition by candidates.source, candidates.account_id
    ) = 1 as is_linked,
    bool_or(own_ids.source is not null) as is_of_own_source
from present_candidates as candidates
left join own_ids
    on
        candidates.source = own_ids.source
        and candidates.account_id = own_ids.account_id
group by candidates.source, candidates.account_id, candidates.resolved_account_id
