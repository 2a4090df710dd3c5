-- Grain: one row per factor, segment and owner with accounts of the newest as-of date for which it is known.
-- A factor is a rule of the champion rule set that fires, or a signal whose value is in the lowest or highest quarter
-- of all accounts (equal values are in or out together; a signal that nearly all share has no such quarter).
-- Counts add up over segments and owners, so that whoever reads them can form the lift of any part.
with

accounts as (

    select * from {{ ref('fct_health_history') }}
    where as_of_date = {{ as_of_end() }}

),

rule_results as (

    select
        rule_id as factor,
        account_id,
        result = 'true' as is_present
    from {{ ref('int_newest_rule_results') }}
    where
        rule_set_status = 'champion'
        and result in ('true', 'false')

),

signal_values as (

    select
        signal,
        account_id,
        value,
        percent_rank() over (partition by signal order by value) as part_below,
        cume_dist() over (partition by signal order by value) as part_up_to
    from {{ ref('fct_signal_values') }}
    where
        as_of_date = {{ as_of_end() }}
        and is_known
        and value is not null

),

bounds as (

    select
        signal,
        max(value) filter (where part_up_to <= 0.25) as lowest_quarter_to,
        min(value) filter (where part_below >= 0.75) as highest_quarter_from
    from signal_values
    group by signal

),

present as (

    select
        'rule' as kind,
        factor,
        cast(null as double) as bound,
        account_id,
        is_present
    from rule_results
    union all
    select
        'signal_low' as kind,
        signal_values.signal as factor,
        bounds.lowest_quarter_to as bound,
        signal_values.account_id,
        signal_values.value <= bounds.lowest_quarter_to as is_present
    from signal_values
    inner join bounds
        on signal_values.signal = bounds.signal
    where bounds.lowest_quarter_to is not null
    union all
    select
        'signal_high' as kind,
        signal_values.signal as factor,
        bounds.highest_quarter_from as bound,
        signal_values.account_id,
        signal_values.value >= bounds.highest_quarter_from as is_present
    from signal_values
    inner join bounds
        on signal_values.signal = bounds.signal
    where bounds.highest_quarter_from is not null

),

final as (

    select
        {{ as_of_end() }} as as_of_date,
        present.kind,
        present.factor,
        present.bound,
        accounts.segment,
        accounts.owner_id,
        count(*) as accounts,
        count(*) filter (where accounts.bucket = 'at_risk') as at_risk,
        count(*) filter (where present.is_present) as with_factor,
        count(*) filter (where present.is_present and accounts.bucket = 'at_risk') as at_risk_with_factor
    from present
    inner join accounts
        on present.account_id = accounts.account_id
    group by present.kind, present.factor, present.bound, accounts.segment, accounts.owner_id

)

select * from final
