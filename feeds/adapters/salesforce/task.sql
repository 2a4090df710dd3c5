-- feed: crm/touchpoints
-- Meanings: the object reference of Task.
--
-- touchpoint_id <- id: 18 characters
-- account_id <- account: the account that Salesforce derives from what the task is about. Lossy: a task of no
--     account is left out
-- contact_id <- who: a contact (003); a lead is none
-- owner_id <- owner: to whom it is assigned
-- channel <- subtype, type, subject: Call and Email by TaskSubtype, else Type, else the beginning of the subject;
--     other tasks are left out, as are those that are not completed
-- direction <- call_type, subject: Inbound calls, and e-mails logged with << or Re in front of the subject, are
--     inbound; everything else is outbound. Lossy: most tools log answers without saying so
-- is_automated <- subtype: ListEmail and Cadence are
-- occurred_at <- completed, day, created: when it was completed, else its date
-- is_deleted <- deleted, _is_deleted: also of loading tools
with

tasks as (

    select
        *,
        case
            when lower(concat_ws(' ', subtype, type)) like '%call%' then 'call'
            when lower(concat_ws(' ', subtype, type)) like '%email%' then 'email'
            when lower(type) like '%meeting%' then 'meeting'
            when regexp_matches(lower(subject), '^(call|e-?mail)\b')
                then replace(regexp_extract(lower(subject), '^(call|e-?mail)', 1), '-', '')
        end as kind
    from source

)

select
    salesforce_id(id) as touchpoint_id,
    salesforce_id(account) as account_id,
    case when starts_with(who, '003') then salesforce_id(who) end as contact_id,
    salesforce_id(owner) as owner_id,
    kind as channel,
    case
        when lower(call_type) = 'inbound' or regexp_matches(lower(subject), '^e-?mail: *(<<|&lt;|re:)') then 'inbound'
        else 'outbound'
    end as direction,
    coalesce(lower(subtype) in ('listemail', 'cadence'), false) as is_automated,
    vendor_time(coalesce(completed, day, created)) as occurred_at,
    coalesce(deleted, _is_deleted) as is_deleted,
    _row_number
from tasks
where
    account is not null
    and kind is not null
    and (is_true(closed) or lower(status) = 'completed' or (closed is null and status is null))
