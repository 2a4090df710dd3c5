-- feed: crm/identities
-- Meanings: https://developers.intercom.com/docs/references/rest-api/api.intercom.io/contacts/contact.
--
-- source <- id: contacts ask for support
-- source_account_id <- id: the contact's id, the account_id of intercom/conversations
-- account_id <- companies, company, email: the first of the contact's companies, which intercom/companies says
--     whose account it is; else the e-mail address, as its MD5 and domain
with

contacts as (

    select
        id,
        coalesce(
            case when json_valid(companies) then json_extract_string(companies, '$[0].id') end,
            company,
            mail_id(email)
        ) as account_id,
        _row_number
    from source

)

select distinct on (id)
    'support' as source,
    id as source_account_id,
    account_id,
    _row_number
from contacts
where account_id is not null and id is not null
order by id asc, _row_number desc
