{#
    From changes to intervals of days: a query of one row per account and interval (valid_from_date to valid_to_date,
    both included) of the days whose signals this build computes, over which nothing changes. `changes` has
    account_id, day and the columns named: those of `sums` run up, of those of `latest` the greatest so far counts.
    Before an account's first change there is no row. An account has few intervals, so joining them costs little for
    however many dates.
#}
{% macro intervals_of_changes(changes, sums=[], latest=[]) %}
    select
        account_id,
        day as valid_from_date,
        coalesce({{ add_days('lead(day) over until_now', -1) }}, {{ as_of_end() }}) as valid_to_date
        {%- for column in sums %},
        sum({{ column }}) over until_now as {{ column }}
        {%- endfor %}
        {%- for column in latest %},
        max({{ column }}) over until_now as {{ column }}
        {%- endfor %}
    from (
        select
            account_id,
            greatest(day, {{ signals_start() }}) as day
            {%- for column in sums %},
            sum({{ column }}) as {{ column }}
            {%- endfor %}
            {%- for column in latest %},
            max({{ column }}) as {{ column }}
            {%- endfor %}
        from {{ changes }}
        where day <= {{ as_of_end() }}
        group by account_id, greatest(day, {{ signals_start() }})
    ) as changed_days
    window until_now as (
        partition by account_id
        order by day
        rows between unbounded preceding and current row
    )
{% endmacro %}
