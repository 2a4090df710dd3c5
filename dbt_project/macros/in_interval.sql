{# Whether the row's account and as-of date are in an interval of days that intervals_of_changes made. #}
{% macro in_interval(intervals, accounts='accounts') -%}
    {{ accounts }}.account_id = {{ intervals }}.account_id
            and {{ accounts }}.as_of_date between {{ intervals }}.valid_from_date and {{ intervals }}.valid_to_date
{%- endmacro %}
