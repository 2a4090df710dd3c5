{# The valid_from_date of an interval without a start, a DATE. #}
{% macro open_start_date() -%}
    cast('0001-01-01' as date)
{%- endmacro %}
