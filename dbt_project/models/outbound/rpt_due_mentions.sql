-- Grain: one row per note and owner whom it names with `@` and their name, whose message is not delivered yet
-- (delivery_key); to be delivered with rpt_due_deliveries, whose columns it has as far as there is something in them.
-- Of notes on accounts that are scored on the newest scored date. A name is read in any case, as a whole.
-- A view, so that it shows what is due when it is asked.
with

notes as (

    select * from {{ ref('int_reviews') }}
    where kind = 'note'

),

staff as (

    select * from {{ ref('stg_crm__owners') }}

),

owners as (

    select
        *,
        '@' || regexp_escape(lower(trim(name))) || '(\W|$)' as pattern
    from staff
    where
        trim(name) <> ''
        and deleted_date is null

),

mentions as (

    select
        notes.review_id,
        notes.account_id,
        notes.reason,
        notes.reviewed_by,
        notes.reviewed_at,
        owners.owner_id,
        trim(owners.name) as owner_name,
        owners.email as owner_email,
        owners.slack_user_id,
        'mention:' || notes.review_id || ':' || owners.owner_id as delivery_key
    from notes
    inner join owners
        on regexp_matches(lower(notes.reason), owners.pattern)

),

final as (

    select
        -- ids
        mentions.delivery_key,
        'mention' as kind,
        'slack' as channel,
        mentions.account_id,
        mentions.owner_id,

        -- what became of it so far; null where nobody tried
        coalesce(states.attempts, 0) as attempts,
        states.status as last_status,
        states.destination as last_destination,
        states.message_key as last_message_key,
        states.recorded_at as last_recorded_at,
        states.error as last_error,
        states.not_before,

        -- the note
        mentions.reason as note,
        coalesce(nullif(trim(authors.name), ''), mentions.reviewed_by) as written_by,
        mentions.reviewed_at as written_at,

        -- the account
        accounts.account_name,
        accounts.bucket,
        true as is_scored,
        accounts.score,
        accounts.as_of_date,

        -- whom it names
        mentions.owner_name,
        mentions.owner_email,
        mentions.slack_user_id,

        -- after all that is due
        1000000 + row_number() over (order by mentions.reviewed_at, mentions.delivery_key) as position
    from mentions
    inner join {{ ref('rpt_account_health') }} as accounts
        on mentions.account_id = accounts.account_id
    left join staff as authors
        on mentions.reviewed_by = authors.owner_id
    left join {{ ref('int_delivery_states') }} as states
        on mentions.delivery_key = states.delivery_key
    where
        states.status is null
        or states.status in ('attempting', 'in_doubt', 'blocked', 'failed')

)

select * from final
