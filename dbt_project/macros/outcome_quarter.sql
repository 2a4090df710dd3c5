{#
    The newest quarter (91 days) of which the outcome within 90 days is known: a query of one row, first_date and
    last_date.
#}
{% macro outcome_quarter() -%}
    select
        {{ add_days('max(known_until_date)', '-180 - ' ~ setting('churn_grace_days')) }} as first_date,
        {{ add_days('max(known_until_date)', '-90 - ' ~ setting('churn_grace_days')) }} as last_date
    from {{ ref('int_measured_dates') }}
{%- endmacro %}
