{# In a select list: makes of each row one row per date from one to the other, both included. #}
{% macro each_day(first_day, last_day) -%}
    cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date)
{%- endmacro %}
