{# A row of a seed as text: the cells that are filled, in the order of their columns' names. #}
{% macro filled_cells(row) %}
    {%- set cells = [] -%}
    {%- for column, value in row.items() | sort if value is not none -%}
        {%- do cells.append(column ~ '=' ~ value) -%}
    {%- endfor -%}
    {%- do return(cells | join('\n')) -%}
{% endmacro %}
