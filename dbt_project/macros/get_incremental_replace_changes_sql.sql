{#
    The incremental strategy of what compares a scored date with the one before: the build replaces every row that ends
    in its window or reaches over the end of it, since one of its two dates may have changed.
#}
{% macro get_incremental_replace_changes_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ target }} where as_of_date >= {{ as_of_start() }} and compared_with <= {{ as_of_end() }};
    insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ arg_dict['temp_relation'] }};
{% endmacro %}
