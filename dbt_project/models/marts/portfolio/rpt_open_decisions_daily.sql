-- Grain: one row per as_of_date and owner: how much the rules could not decide.
-- Sums over owners add up; coverage_pct_accounts is the coverage times the accounts, so that its sum by that of the
-- accounts is the mean of all.
-- A view: its rows are those of rpt_decisions_daily.
with

decisions as (

    select * from {{ ref('rpt_decisions_daily') }}

),

final as (

    select
        as_of_date,
        owner_id,
        cast(sum(accounts) as bigint) as accounts,
        cast(sum(case when decision = 'undecided' then accounts else 0 end) as bigint) as undecided,
        cast(sum(case when decision = 'conflict' then accounts else 0 end) as bigint) as conflict,
        cast(sum(overridden_accounts) as bigint) as overridden,
        sum(mean_coverage_pct * accounts) as coverage_pct_accounts
    from decisions
    group by as_of_date, owner_id

)

select * from final
