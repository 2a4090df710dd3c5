-- Grain: one row per signal and as-of date.
-- A signal is known where every feed that it needs is, and some word of theirs that it counts by is recognised; it is
-- in use where none of its feeds is switched off, and the reference data gives some word its meaning;
-- has_never_landed is true where a feed that it needs has not come yet.
{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='append_new_columns') }}
with

signals as (

    select * from {{ ref('signals') }}

),

feed_states as (

    select * from {{ ref('int_feed_states') }}

),

vocabulary_states as (

    select
        vocabularies.signal,
        vocabularies.is_used,
        states.as_of_date,
        states.is_known,
        case
            when not states.is_known
                then concat(
                    'no ', replace(states.vocabulary, '_', ' '), ' is recognised among the words of ', states.feed
                )
        end as unknown_because
    from {{ ref('int_vocabularies') }} as vocabularies
    inner join {{ ref('int_vocabulary_states') }} as states
        on vocabularies.vocabulary = states.vocabulary

),

final as (

    select
        signals.signal,
        feed_states.as_of_date,
        bool_and(feed_states.state = 'known' and coalesce(vocabularies.is_known and vocabularies.is_used, true))
            as is_known,
        bool_and(feed_states.state <> 'not_used' and coalesce(vocabularies.is_used, true)) as is_used,
        bool_or(feed_states.state = 'never_landed') as has_never_landed,
        coalesce(min(feed_states.feed || ' ' || case feed_states.state
            when 'never_landed' then 'never landed'
            when 'held' then 'was held back by a check'
            when 'stale' then 'is stale' || coalesce(': ' || feed_states.reason, '')
            when 'not_used' then 'is not used'
        end) filter (where feed_states.state <> 'known'), min(vocabularies.unknown_because)) as unknown_because,
        min(feed_states.last_arrived_at) as observed_at
    from signals
    inner join feed_states
        on ' ' || signals.feeds || ' ' like '% ' || feed_states.feed || ' %'
    left join vocabulary_states as vocabularies
        on
            signals.signal = vocabularies.signal
            and feed_states.as_of_date = vocabularies.as_of_date
    group by signals.signal, feed_states.as_of_date

)

select * from final
