{#
    What `where:` of a data test may have instead of SQL, so that its time does not grow with history:
    `in_run_window`, the as-of dates of the build; `on_newest_date`, the last of them; `in_newest_batch`, the rows of the
    newest batch in the table.
#}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- set limits = {
        'in_run_window': 'as_of_date between ' ~ as_of_start() ~ ' and ' ~ as_of_end(),
        'on_newest_date': 'as_of_date = ' ~ as_of_end(),
        'in_newest_batch': '_batch_id = (select max(newest._batch_id) from ' ~ relation ~ ' as newest)',
    } if where in ('in_run_window', 'on_newest_date', 'in_newest_batch') else {} -%}
    {%- if where -%}
        {%- do return('(select * from ' ~ relation ~ ' where ' ~ limits.get(where, where) ~ ') as rows_asked') -%}
    {%- else -%}
        {%- do return(relation) -%}
    {%- endif -%}
{%- endmacro %}
