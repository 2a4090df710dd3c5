-- feed: crm/contacts
-- Meanings: the object reference of Contact.
--
-- contact_id <- id: 18 characters
-- account_id <- account: 18 characters. Lossy: a private contact, of no account, is left out
-- email <- email: as it is
-- full_name <- name, first_name, last_name: as Salesforce joins it
-- role <- role: Salesforce has contact roles only at opportunities; a field of yours that is called Role__c or so,
--     by the words champion, sponsor, admin, user
-- is_active <- left_company, deleted: false with No_Longer_at_Company__c, a field that many add; else every contact
--     counts
-- marketing_consent <- optout: false where the contact opted out of e-mail, else unknown
-- created_at <- created: when the record was created
-- updated_at <- updated: SystemModstamp
-- is_deleted <- deleted, _is_deleted: also the losing record of a merge
select
    salesforce_id(id) as contact_id,
    salesforce_id(account) as account_id,
    email,
    coalesce(name, nullif(concat_ws(' ', first_name, last_name), '')) as full_name,
    case
        when contains(lower(role), 'champion') then 'champion'
        when contains(lower(role), 'sponsor') then 'sponsor'
        when contains(lower(role), 'admin') then 'admin'
        when contains(lower(role), 'user') then 'user'
        when role is not null then 'other'
    end as role,
    not is_true(left_company) and not is_true(coalesce(deleted, _is_deleted)) as is_active,
    case when is_true(optout) then false end as marketing_consent,
    vendor_time(created) as created_at,
    coalesce(vendor_time(updated), _extracted_at) as updated_at,
    coalesce(deleted, _is_deleted) as is_deleted,
    _row_number
from source
where account is not null
