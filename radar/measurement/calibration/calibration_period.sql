-- Grain: one row: the last date whose account-weeks place limits. The later third of the dates of which the outcome is
-- known stays unseen, to judge rules by; where no outcome is known, every date places limits.
with

observations as (

    select * from {{ ref('fct_observations') }}
    where left_out_because is null

),

judged_dates as (

    select distinct as_of_date from observations
    where not is_censored_{{ var('horizon') }}d

),

final as (

    select
        coalesce(
            cast({{ literal(var('train_until')) }} as date),
            (select quantile_disc(as_of_date, cast(2 as double) / 3) from judged_dates),
            max(as_of_date)
        ) as train_until
    from observations

)

select * from final
