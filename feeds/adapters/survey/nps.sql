-- feed: feedback/surveys
-- Meanings: https://app.delighted.com/docs/api/listing-survey-responses; other tools by the names of their exports.
--
-- response_id <- id, email, responded: the answer's id; without one a hash of address and time
-- account_id <- account_key, email: a column account_id, company_id or crm_id; else the e-mail address, as
--     its MD5 and domain. An answer with neither is refused
-- kind <- score: nps
-- score <- score: from 0 to 10
-- comment <- comment: as it is
-- responded_at <- responded: when it was answered
select
    coalesce(id, md5(concat_ws('|', email, account_key, responded))) as response_id,
    coalesce(account_key, mail_id(email)) as account_id,
    'nps' as kind,
    score,
    comment,
    vendor_time(responded) as responded_at,
    _row_number
from source
