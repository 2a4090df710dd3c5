{#
    Rates with their 95 % interval, clustered by account: rows of one account are not independent. `relation` has one
    row per group and account, with n (how often it could happen) and hits (how often it did). A query of the columns
    `groups`, accounts, n, hits, rate, ci_low, ci_high.
    Wilson's interval with n_eff = rate (1 - rate) / v, v the linearised variance of a ratio over m accounts,
    m/(m-1) sum (hits_i - rate n_i)^2 / n^2; n_eff is m where all agree. One account that does not agree with itself
    has no interval.
#}
{% macro clustered_rates(relation, groups) %}
    {%- set columns = groups | join(', ') %}
    with

    accounts as (

        select
            {{ columns }},
            n,
            hits,
            cast(sum(hits) over (partition by {{ columns }}) as double)
            / sum(n) over (partition by {{ columns }}) as rate
        from {{ relation }}
        where n > 0

    ),

    rates as (

        select
            {{ columns }},
            count(*) as accounts,
            sum(n) as n,
            sum(hits) as hits,
            max(rate) as rate,
            sum((hits - rate * n) * (hits - rate * n)) as squares
        from accounts
        group by {{ columns }}

    ),

    sized as (

        select
            *,
            case
                when rate in (0, 1) then 1 / cast(accounts as double)
                when accounts > 1
                    then
                        cast(accounts as double) / (accounts - 1) * squares
                        / (cast(n as double) * n) / (rate * (1 - rate))
            end as one_by_n_eff
        from rates

    ),

    scaled as (

        select
            *,
            {{ normal_quantile() }} * {{ normal_quantile() }} * one_by_n_eff as z2_by_n_eff
        from sized

    ),

    bounded as (

        select
            *,
            (rate + z2_by_n_eff / 2) / (1 + z2_by_n_eff) as middle,
            {{ normal_quantile() }} * sqrt((rate * (1 - rate) + z2_by_n_eff / 4) * one_by_n_eff)
            / (1 + z2_by_n_eff) as half_width
        from scaled

    )

    select
        {{ columns }},
        accounts,
        n,
        hits,
        rate,
        greatest(0, middle - half_width) as ci_low,
        least(1, middle + half_width) as ci_high
    from bounded
{% endmacro %}
