-- feed: crm/identities
-- Meanings: https://developer.keap.com/docs/restv2/#tag/Orders (an order is a contact's).
--
-- source <- id: contacts are billed, so their ids are those of the feeds of billing
-- source_account_id <- id: the contact's id, the account_id of keap/orders and transactions
-- account_id <- company, emails: the contact's company; else the e-mail address, as its MD5 and domain
with

contacts as (

    select
        *,
        case when emails[1] = '[' and json_valid(emails) then json_extract_string(emails, '$[0].email') else emails end
            as email
    from source

)

select distinct on (id)
    'billing' as source,
    id as source_account_id,
    coalesce(company, mail_id(email)) as account_id,
    _row_number
from contacts
where coalesce(company, mail_id(email)) is not null and not is_true(_is_deleted)
order by id asc, _row_number desc
