{# The accounts that this build scores, one row per account and as-of date: the spine of every signal. #}
{% macro scored_accounts() %}
    select
        account_id,
        as_of_date,
        created_date,
        unknown_signals
    from {{ ref('int_accounts__as_of') }}
    where as_of_date between {{ signals_start() }} and {{ as_of_end() }}
{% endmacro %}
