-- Grain: one row per account of the newest as-of date and reason that keeps it from being decided: a signal that is not
-- known, or a field on which sources contradict each other and none wins.
with

accounts as (

    select * from {{ ref('rpt_account_health') }}

),

signals as (

    select * from {{ ref('signals') }}

),

unknown as (

    select
        account_id,
        owner_id,
        decision,
        unnest(string_split(unknown_signals, ', ')) as signal
    from accounts
    where
        decision = 'undecided'
        and unknown_signals is not null

),

reasons as (

    select
        unknown.account_id,
        unknown.owner_id,
        unknown.decision,
        unknown.signal as reason,
        coalesce(signals.label, unknown.signal) as label,
        coalesce(signals.feeds, '') as feeds
    from unknown
    left join signals
        on unknown.signal = signals.signal
    union all
    select
        accounts.account_id,
        accounts.owner_id,
        accounts.decision,
        conflicts.field as reason,
        conflicts.field as label,
        min('crm, ' || conflicts.other_source) as feeds
    from accounts
    inner join {{ ref('fct_source_conflicts') }} as conflicts
        on
            accounts.account_id = conflicts.account_id
            and accounts.as_of_date = conflicts.as_of_date
    where
        accounts.decision = 'conflict'
        and conflicts.used_source is null
    group by accounts.account_id, accounts.owner_id, accounts.decision, conflicts.field

),

final as (

    select
        account_id,
        owner_id,
        decision,
        reason,
        label,
        feeds
    from reasons

)

select * from final
