{#
    Intervals of `relation` (account_id, valid_from_date, valid_to_date) for which `condition` is true, those without a
    day between them joined: a query of one row per account and unbroken interval.
#}
{% macro unbroken_intervals(relation, condition) %}
    select
        account_id,
        min(valid_from_date) as valid_from_date,
        max(valid_to_date) as valid_to_date
    from (
        select
            *,
            sum(case when is_first then 1 else 0 end) over (
                partition by account_id
                order by valid_from_date
                rows between unbounded preceding and current row
            ) as interval_number
        from (
            select
                account_id,
                valid_from_date,
                valid_to_date,
                coalesce(
                    lag(valid_to_date) over (partition by account_id order by valid_from_date)
                    < {{ add_days('valid_from_date', -1) }},
                    true
                ) as is_first
            from {{ relation }}
            where {{ condition }}
        ) as compared
    ) as numbered
    group by account_id, interval_number
{% endmacro %}
