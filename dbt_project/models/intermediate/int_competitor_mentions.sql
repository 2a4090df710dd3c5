-- Grain: one row per ticket or survey comment that names a competitor, of the days that this build's windows see.
-- A text that names several counts once.
with

competitors as (

    select lower(name) as name from {{ ref('competitors') }}

),

texts as (

    select
        account_id,
        'ticket ' || ticket_id as text_id,
        cast(opened_at as date) as mentioned_date,
        lower(coalesce(subject, '') || chr(10) || coalesce(body, '')) as text
    from {{ ref('stg_support__tickets') }}
    union all
    select
        account_id,
        'survey ' || response_id as text_id,
        cast(responded_at as date) as mentioned_date,
        lower(comment) as text
    from {{ ref('stg_feedback__surveys') }}

),

final as (

    select distinct
        texts.account_id,
        texts.text_id,
        texts.mentioned_date
    from texts
    inner join competitors
        on contains(texts.text, competitors.name)
    where
        texts.mentioned_date between {{ add_days(as_of_start(), -29) }} and {{ as_of_end() }}
        and {{ has_whole_word('texts.text', 'competitors.name') }}

)

select * from final
