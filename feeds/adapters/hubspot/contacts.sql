-- feed: crm/contacts
-- Meanings: https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide and
-- https://knowledge.hubspot.com/properties/hubspots-default-contact-properties.
--
-- contact_id <- id: the record id
-- account_id <- company, associated: the primary company, else the first that is associated. Lossy: a contact of no
--     company is left out, and of several companies one counts
-- email <- email: as it is
-- full_name <- firstname, lastname: joined
-- role <- buying_role: CHAMPION; EXECUTIVE_SPONSOR, DECISION_MAKER and BUDGET_HOLDER are sponsor; END_USER is user;
--     others other. Lossy: of several roles the first of these counts
-- is_active <- archived: HubSpot does not say who left the company; every contact that is not archived counts
-- marketing_consent <- optout: false where the contact opted out of all e-mail, else unknown
-- created_at <- createdate: when the record was created
-- updated_at <- updated: the last change of any property
-- is_deleted <- archived, _is_deleted: also of loading tools
with

contacts as (

    select
        *,
        coalesce(
            trim(string_split(company, ';')[1]),
            case when json_valid(associated) then json_extract_string(associated, '$[0].id') end
        ) as company_id,
        lower(coalesce(buying_role, '')) as roles
    from source

)

select
    id as contact_id,
    company_id as account_id,
    email,
    nullif(concat_ws(' ', firstname, lastname), '') as full_name,
    case
        when contains(roles, 'champion') then 'champion'
        when regexp_matches(roles, 'sponsor|decision|budget') then 'sponsor'
        when regexp_matches(roles, 'end.?user') then 'user'
        when roles <> '' then 'other'
    end as role,
    not is_true(coalesce(archived, _is_deleted)) as is_active,
    case when is_true(optout) then false end as marketing_consent,
    vendor_time(createdate) as created_at,
    coalesce(vendor_time(updated), _extracted_at) as updated_at,
    coalesce(archived, _is_deleted) as is_deleted,
    _row_number
from contacts
where company_id is not null
