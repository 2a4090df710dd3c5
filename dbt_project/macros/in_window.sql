{# Whether a DATE is in the window of `days` days that ends with the as-of date. #}
{% macro in_window(day, days, as_of_date='dates.as_of_date') -%}
    {{ day }} between {{ add_days(as_of_date, 1 - days) }} and {{ as_of_date }}
{%- endmacro %}
