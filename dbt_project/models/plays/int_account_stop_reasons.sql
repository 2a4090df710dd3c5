-- Grain: one row per account, scored date of this build and reason that stops every play of the account.
-- is_suppressing: nothing may be done now; stale inputs do so where the bucket is decided in spite of them.
-- review_text: what a person reads who decides first, in the order of position; null where nobody has to.
with

states as (

    select * from {{ ref('int_account_states') }}
    where as_of_date <= {{ as_of_end() }}

),

unknown_labels as (

    select
        states.account_id,
        states.as_of_date,
        string_agg(
            coalesce(signals.label, signals.signal), ', '
            order by strpos(', ' || states.unknown_signals || ',', ', ' || signals.signal || ',')
        ) as labels
    from states
    inner join {{ ref('signals') }} as signals
        on {{ is_among('signals.signal', 'states.unknown_signals') }}
    where states.decision = 'undecided'
    group by states.account_id, states.as_of_date

),

final as (

    select
        account_id,
        as_of_date,
        1 as position,
        'conflict' as reason,
        true as is_suppressing,
        conflict_reason as review_text
    from states
    where decision = 'conflict'
    union all
    select
        states.account_id,
        states.as_of_date,
        2 as position,
        'undecided' as reason,
        true as is_suppressing,
        'The bucket hangs on what is not known: ' || unknown_labels.labels as review_text
    from states
    left join unknown_labels
        on
            states.account_id = unknown_labels.account_id
            and states.as_of_date = unknown_labels.as_of_date
    where states.decision = 'undecided'
    union all
    select
        states.account_id,
        states.as_of_date,
        3 as position,
        'stale' as reason,
        states.decision = 'decided' as is_suppressing,
        'Nothing new has come from ' || stale_inputs.feeds || ' for too long: '
        || stale_inputs.labels || ' not known' as review_text
    from states
    inner join {{ ref('int_stale_inputs') }} as stale_inputs
        on
            states.account_id = stale_inputs.account_id
            and states.as_of_date = stale_inputs.as_of_date
    union all
    select
        account_id,
        as_of_date,
        10 as position,
        'high_value' as reason,
        false as is_suppressing,
        'High value: $' || format('{:,}', cast(round(arr_usd) as bigint)) || ' a year' as review_text
    from states
    where arr_usd >= {{ setting('high_value_arr_usd') }}
    union all
    select
        states.account_id,
        states.as_of_date,
        11 as position,
        'renewal_near' as reason,
        false as is_suppressing,
        'Renewal in ' || {{ format_number('billing.days_to_renewal') }}
        || case when billing.days_to_renewal = 1 then ' day' else ' days' end || ', and the bucket changed from '
        || replace(states.bucket_before, '_', ' ') || ' to ' || replace(states.bucket, '_', ' ') as review_text
    from states
    inner join {{ ref('sig_billing') }} as billing
        on
            states.account_id = billing.account_id
            and states.as_of_date = billing.as_of_date
    where
        billing.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and states.is_consecutive
        and states.bucket <> states.bucket_before
        and billing.days_to_renewal <= {{ setting('renewal_near_days') }}
    union all
    select
        account_id,
        as_of_date,
        12 as position,
        'steep_drop' as reason,
        false as is_suppressing,
        'The score fell ' || {{ format_number('best_score_7d - score') }}
        || case when best_score_7d - score = 1 then ' point' else ' points' end || ' in the week to '
        || strftime(as_of_date, '%-d %b %Y') as review_text
    from states
    where best_score_7d - score >= {{ setting('steep_drop_points') }}
    union all
    select
        account_id,
        as_of_date,
        13 as position,
        'value_cap' as reason,
        false as is_suppressing,
        string_agg('Limited by: ' || title, '; ' order by rule_number) as review_text
    from {{ ref('int_value_caps') }}
    group by account_id, as_of_date
    union all
    select
        account_id,
        as_of_date,
        14 as position,
        'review_rule' as reason,
        false as is_suppressing,
        review_rules as review_text
    from states
    where review_rules is not null
    union all
    select
        states.account_id,
        states.as_of_date,
        4 as position,
        'flood' as reason,
        true as is_suppressing,
        null as review_text
    from states
    inner join {{ ref('int_flood_guard') }} as flood_guard
        on states.as_of_date = flood_guard.as_of_date
    where flood_guard.is_blocked

)

select * from final
