{# A query of one column, `day`: every date from one to the other, both included. #}
{% macro date_range(first_day, last_day) -%}
    select {{ each_day(first_day, last_day) }} as day
{%- endmacro %}
