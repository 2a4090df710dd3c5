{# The rows of a seed as a list of dictionaries, text as text; read where a model is written from seeds. #}
{% macro seed_rows(query) %}
    {%- if not execute -%}{%- do return([]) -%}{%- endif -%}
    {%- set rows = [] -%}
    {%- for row in run_query(query).rows -%}
        {%- do rows.append(row.dict()) -%}
    {%- endfor -%}
    {%- do return(rows) -%}
{% endmacro %}
