{# Whether the row's account and as-of date fall into a span of days that spans_of_changes made. #}
{% macro in_span(spans, accounts='accounts') -%}
    {{ accounts }}.account_id = {{ spans }}.account_id
            and {{ accounts }}.as_of_date between {{ spans }}.valid_from_date and {{ spans }}.valid_to_date
{%- endmacro %}
