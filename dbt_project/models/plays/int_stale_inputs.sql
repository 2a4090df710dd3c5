-- Grain: one row per account and scored date of this build on which a rule of the account's evidence reads a signal of
-- a feed that is stale: from which feeds nothing new has come, and which signals are not known for it.
with

history as (

    select
        account_id,
        as_of_date,
        segment
    from {{ ref('fct_health_history') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

stale_rules as (

    select distinct
        feed_states.as_of_date,
        segment_rules.segment,
        segment_rules.rule_id,
        signals.signal,
        coalesce(signals.label, signals.signal) as label,
        feed_states.feed
    from {{ ref('int_feed_states') }} as feed_states
    inner join {{ ref('signals') }} as signals
        on ' ' || signals.feeds || ' ' like '% ' || feed_states.feed || ' %'
    inner join {{ ref('int_segment_rules') }} as segment_rules
        on signals.signal = segment_rules.signal
    where
        feed_states.state = 'stale'
        and not segment_rules.is_weight

),

stale_signals as (

    select distinct
        history.account_id,
        history.as_of_date,
        stale_rules.signal,
        stale_rules.label,
        stale_rules.feed
    from stale_rules
    inner join {{ ref('fct_health_evidence') }} as evidence
        on
            stale_rules.as_of_date = evidence.as_of_date
            and stale_rules.rule_id = evidence.rule_id
    inner join history
        on
            evidence.account_id = history.account_id
            and evidence.as_of_date = history.as_of_date
            and stale_rules.segment is not distinct from history.segment
    where evidence.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

-- a signal of two stale feeds is listed once
signals_once as (

    select distinct
        account_id,
        as_of_date,
        signal,
        label
    from stale_signals

),

labels as (

    select
        account_id,
        as_of_date,
        string_agg(label, ', ' order by signal) as labels
    from signals_once
    group by account_id, as_of_date

),

feeds as (

    select
        account_id,
        as_of_date,
        string_agg(distinct feed, ', ' order by feed) as feeds
    from stale_signals
    group by account_id, as_of_date

),

final as (

    select
        labels.account_id,
        labels.as_of_date,
        feeds.feeds,
        labels.labels
    from labels
    inner join feeds
        on
            labels.account_id = feeds.account_id
            and labels.as_of_date = feeds.as_of_date

)

select * from final
