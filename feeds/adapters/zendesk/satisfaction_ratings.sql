-- feed: feedback/surveys
-- Meanings: https://developer.zendesk.com/api-reference/ticketing/ticket-management/satisfaction_ratings/.
--
-- response_id <- id: the rating's id
-- account_id <- requester: the user who rated, whom zendesk/users gives an account
-- kind <- score: Zendesk's ratings are csat
-- score <- score: good is 5 and bad is 1, since the contract counts from 1 to 5; ratings that were only offered are
--     left out
-- comment <- comment: as it is
-- responded_at <- updated_at, created_at: when the rating was given or changed last
select
    id as response_id,
    requester as account_id,
    'csat' as kind,
    case
        when starts_with(lower(score), 'good') then '5'
        when starts_with(lower(score), 'bad') then '1'
        else score
    end as score,
    comment,
    vendor_time(coalesce(updated_at, created_at)) as responded_at,
    _row_number
from source
where lower(coalesce(score, '')) not in ('offered', 'unoffered')
