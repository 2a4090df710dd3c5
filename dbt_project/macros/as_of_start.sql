{# The first as-of date of this build, a DATE. #}
{% macro as_of_start() -%}
    cast('{{ as_of_window()['start'] }}' as date)
{%- endmacro %}
