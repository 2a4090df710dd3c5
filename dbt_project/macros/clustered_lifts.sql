{#
    How many times as often something happened in a group as overall, with the 95 % interval clustered by account, on the
    log scale by the same linearisation as `clustered_rates`. `relation` has one row per group and account, also for an
    account that is not in the group: n and hits of the account in the group, all_n and all_hits of the account overall.
    A query of the columns `groups`, lift, lift_low, lift_high, for groups with observations where anything happened at all.
#}
{% macro clustered_lifts(relation, groups) %}
    {%- set columns = groups | join(', ') %}
    with

    totals as (

        select
            {{ columns }},
            cast(sum(n) as double) as group_n,
            cast(sum(hits) as double) as group_hits,
            cast(sum(all_n) as double) as everything_n,
            cast(sum(all_hits) as double) as everything_hits,
            count(*) as accounts
        from {{ relation }}
        group by {{ columns }}
        having sum(n) > 0 and sum(all_hits) > 0

    ),

    lifts as (

        select
            {{ columns }},
            max(group_hits / group_n * everything_n / everything_hits) as lift,
            max(accounts / (accounts - 1.0)) * sum(
                power(hits / group_hits - n / group_n - all_hits / everything_hits + all_n / everything_n, 2)
            ) as log_variance
        from {{ relation }}
        inner join totals using ({{ columns }})
        group by {{ columns }}

    )

    select
        {{ columns }},
        lift,
        case when lift > 0 then lift / exp({{ normal_quantile() }} * sqrt(log_variance)) end as lift_low,
        case when lift > 0 then lift * exp({{ normal_quantile() }} * sqrt(log_variance)) end as lift_high
    from lifts
{% endmacro %}
