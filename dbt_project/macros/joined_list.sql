{# The values of a list, each once and in order, as one text; null where there are none. #}
{% macro joined_list(list) -%}
    nullif(array_to_string(list_sort(list_distinct({{ list }})), ', '), '')
{%- endmacro %}
