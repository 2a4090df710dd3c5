-- Grain: one row per event of a scored account in the var account_facts_days up to the newest as-of date.
-- What happened at the customer, what the score did, what people decided and what was sent, in one order.
-- No name, address or text of a contact: those are in the contact store that the panel alone reads.
with

accounts as (

    select account_id from {{ ref('rpt_account_health') }}

),

facts as (

    select
        *,
        coalesce(' of $' || format('{:,}', cast(round(amount_usd) as bigint)), '') as of_amount
    from {{ ref('rpt_account_facts') }}
    where kind <> 'contact'

),

begun as (

    select
        account_id,
        kind || ':' || fact_id as event_id,
        kind,
        fact_id as object_id,
        happened_at,
        case kind
            when 'ticket' then 'Ticket opened' || coalesce(', priority ' || detail, '')
            when 'invoice' then 'Invoice' || of_amount || ' issued'
            when 'milestone' then 'Milestone ' || coalesce(detail || ' ', '') || 'was due'
            when 'touchpoint' then concat_ws(', ', upper(left(detail, 1)) || right(detail, -1), state)
            when 'survey' then concat_ws(' answer: ', upper(detail), state)
            when 'pulse' then 'The owner''s own view: ' || state || ' of 5'
        end as title,
        cast(null as varchar) as detail,
        contact_id,
        cast(null as varchar) as actor
    from facts
    where kind <> 'milestone' or state = 'overdue'

),

ended as (

    select
        account_id,
        kind || ':' || fact_id || ':end' as event_id,
        kind,
        fact_id as object_id,
        closed_at as happened_at,
        case kind
            when 'ticket' then 'Ticket resolved'
            when 'invoice' then 'Invoice' || of_amount || ' paid'
            when 'milestone' then 'Milestone ' || coalesce(detail || ' ', '') || 'met'
        end as title,
        cast(null as varchar) as detail,
        contact_id,
        cast(null as varchar) as actor
    from facts
    where closed_at is not null

),

-- a score speaks for its whole day
scores as (

    select
        account_id,
        'score:' || as_of_date as event_id,
        'score' as kind,
        cast(null as varchar) as object_id,
        {{ dbt.dateadd('second', -1, 'cast(' ~ add_days('as_of_date', 1) ~ ' as timestamp)') }} as happened_at,
        'Score ' || {{ format_number('score_before') }} || ' to ' || {{ format_number('score_after') }} as title,
        reasons as detail,
        cast(null as varchar) as contact_id,
        cast(null as varchar) as actor
    from {{ ref('fct_score_changes') }}
    where change <> 0

),

overrides as (

    select
        account_id,
        'override:' || override_id as event_id,
        'override' as kind,
        cast(null as varchar) as object_id,
        overridden_at as happened_at,
        'Override to ' || replace(bucket, '_', ' ') as title,
        reason as detail,
        cast(null as varchar) as contact_id,
        overridden_by as actor
    from {{ ref('stg_crm__overrides') }}

),

reviews as (

    select
        account_id,
        'review:' || review_id as event_id,
        'review' as kind,
        cast(null as varchar) as object_id,
        reviewed_at as happened_at,
        case kind
            when 'sign_off' then 'Signed off'
            when 'spot_check' then 'Spot check'
            when 'outcome' then 'Outcome marked'
            when 'action' then 'Task or draft'
            when 'call' then 'Call logged'
            when 'cover' then 'Cover asked'
            else upper(left(kind, 1)) || replace(right(kind, -1), '_', ' ')
        end || coalesce(': ' || replace(verdict, '_', ' '), '') as title,
        reason as detail,
        cast(null as varchar) as contact_id,
        reviewed_by as actor
    from {{ ref('int_reviews') }}

),

-- what Radar gave to whoever does it
actions as (

    select
        actions.account_id,
        'action:' || actions.action_id as event_id,
        'action' as kind,
        cast(null as varchar) as object_id,
        cast(hand_overs.handed_over_on as timestamp) as happened_at,
        actions.next_action as title,
        actions.evidence as detail,
        cast(null as varchar) as contact_id,
        cast(null as varchar) as actor
    from {{ ref('fct_actions') }} as actions
    inner join {{ ref('int_action_hand_overs') }} as hand_overs
        on actions.action_id = hand_overs.action_id

),

messages as (

    select
        account_id,
        'message:' || message_id as event_id,
        'message' as kind,
        cast(null as varchar) as object_id,
        sent_at as happened_at,
        'Mail sent: ' || replace(kind, '_', ' ') as title,
        case when clicked_at is not null then 'clicked' when opened_at is not null then 'opened' end as detail,
        contact_id,
        cast(null as varchar) as actor
    from {{ ref('stg_comms__messages') }}
    where {{ not_deleted_by(as_of_end()) }}

),

events as (

    select * from begun
    union all
    select * from ended
    union all
    select * from scores
    union all
    select * from overrides
    union all
    select * from reviews
    union all
    select * from actions
    union all
    select * from messages

),

final as (

    select
        events.*,
        row_number() over (
            partition by events.account_id
            order by events.happened_at desc, events.event_id desc
        ) as position
    from events
    inner join accounts
        on events.account_id = accounts.account_id
    where
        cast(events.happened_at as date)
        between {{ add_days(as_of_end(), '1 - ' ~ var('account_facts_days')) }} and {{ as_of_end() }}

)

select * from final
