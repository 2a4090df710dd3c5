{# The last as-of date of this build, a DATE. #}
{% macro as_of_end() -%}
    cast('{{ as_of_window()['end'] }}' as date)
{%- endmacro %}
