{# The valid_to_date of an interval without an end, a DATE. #}
{% macro open_end_date() -%}
    cast('9999-12-31' as date)
{%- endmacro %}
