{# One text of several columns, another one for each combination of values. #}
{% macro text_of_list(columns) -%}
    cast(json_array({{ columns | join(', ') }}) as varchar)
{%- endmacro %}
