{# `where: in_run_window` limits a data test to the as-of dates of the build, so that its time does not grow with history. #}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- if where == 'in_run_window' -%}
        {%- do return(
            '(select * from ' ~ relation ~ ' where as_of_date between '
            ~ as_of_start() ~ ' and ' ~ as_of_end() ~ ') as rows_of_run'
        ) -%}
    {%- elif where -%}
        {%- do return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') as rows_asked') -%}
    {%- else -%}
        {%- do return(relation) -%}
    {%- endif -%}
{%- endmacro %}
