-- Grain: one row per outcome, segment, signal and group (`all`, and each fifth of the values that is not empty): how
-- often the outcome came, and how many times as often as over all observations with a value.
with

fifths as (

    select * from {{ ref('int_signal_observations') }}
    where value is not null

),

accounts as (

    select
        outcome,
        segment,
        signal,
        account_id,
        count(*) as all_n,
        count(*) filter (where has_outcome) as all_hits
    from fifths
    group by outcome, segment, signal, account_id

),

accounts_of_fifths as (

    select
        outcome,
        segment,
        signal,
        fifth,
        account_id,
        count(*) as n,
        count(*) filter (where has_outcome) as hits
    from fifths
    group by outcome, segment, signal, fifth, account_id

),

-- every account in every fifth, also one that was never in it: it moves the rate overall
grouped as (

    select
        accounts.outcome,
        accounts.segment,
        accounts.signal,
        'all' as group_name,
        accounts.account_id,
        accounts.all_n as n,
        accounts.all_hits as hits,
        accounts.all_n,
        accounts.all_hits
    from accounts
    union all
    select
        accounts.outcome,
        accounts.segment,
        accounts.signal,
        'fifth_' || numbers.fifth as group_name,
        accounts.account_id,
        coalesce(accounts_of_fifths.n, 0) as n,
        coalesce(accounts_of_fifths.hits, 0) as hits,
        accounts.all_n,
        accounts.all_hits
    from accounts
    cross join (select unnest([1, 2, 3, 4, 5]) as fifth) as numbers
    left join accounts_of_fifths
        on
            accounts.outcome = accounts_of_fifths.outcome
            and accounts.segment = accounts_of_fifths.segment
            and accounts.signal = accounts_of_fifths.signal
            and accounts.account_id = accounts_of_fifths.account_id
            and numbers.fifth = accounts_of_fifths.fifth

),

rates as (

    {{ clustered_rates('grouped', ['outcome', 'segment', 'signal', 'group_name']) }}

),

lifts as (

    {{ clustered_lifts('grouped', ['outcome', 'segment', 'signal', 'group_name']) }}

),

final as (

    select
        rates.outcome,
        rates.segment,
        rates.signal,
        rates.group_name,
        rates.rate,
        rates.ci_low,
        rates.ci_high,
        lifts.lift,
        lifts.lift_low,
        lifts.lift_high
    from rates
    left join lifts
        on
            rates.outcome = lifts.outcome
            and rates.segment = lifts.segment
            and rates.signal = lifts.signal
            and rates.group_name = lifts.group_name

)

select * from final
