-- Grain: one row per signal, vocabulary that it depends on, and as-of date.
-- depends_on: {{ ref('signals') }}
with

signals as (

    {% for vocabulary in vocabularies() %}
    {% set is_last = loop.last %}
    {% for signal in vocabulary['signals'] %}
    select
        '{{ signal }}' as signal,
        '{{ vocabulary['vocabulary'] }}' as vocabulary
    {{ 'union all' if not (is_last and loop.last) }}
    {% endfor %}
    {% endfor %}

),

final as (

    select
        signals.signal,
        signals.vocabulary,
        states.as_of_date,
        states.feed,
        states.is_known,
        states.is_used,
        case
            when not states.is_known
                then concat(
                    'no ', replace(states.vocabulary, '_', ' '), ' is recognised among the words of ', states.feed
                )
        end as unknown_because,
        case
            when not states.is_used
                then concat(
                    'no event name is marked as ', replace(states.vocabulary, '_', ' '), ' in product_events.csv'
                )
        end as unused_because
    from signals
    inner join {{ ref('int_vocabulary_states') }} as states
        on signals.vocabulary = states.vocabulary

)

select * from final
