{# The incremental strategy of tables keyed by as-of date: the days of the run are replaced whole. #}
{% macro get_incremental_replace_window_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ target }} where as_of_date between {{ as_of_start() }} and {{ as_of_end() }};
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }};
{% endmacro %}
