-- feed: crm/identities
-- Meanings: https://developer.zendesk.com/api-reference/ticketing/organizations/organizations/.
--
-- source <- id: organizations ask for support, so their ids are those of the feeds of support
-- source_account_id <- id: the organization's id, the account_id of zendesk/tickets
-- account_id <- account_key, external_id, domain_names: the account's id in the CRM from a field of the
--     organization (account_id, crm_id, hubspot_id, salesforce_id) or its external id; else the first of its
--     domains. An organization with none of them is named by nobody
with

organizations as (

    select
        id,
        coalesce(
            account_key,
            external_id,
            domain_of(
                case when json_valid(domain_names) then json_extract_string(domain_names, '$[0]') else domain_names end
            )
        ) as account_id,
        _row_number
    from source
    where deleted is null

)

select
    'support' as source,
    id as source_account_id,
    account_id,
    _row_number
from organizations
where account_id is not null
