{#
    The incremental strategy of actions, whose rows change after the day on which they began: rows that the build has
    replace those of the same action_id. Rows of the window's dates and of later ones that it no longer has are deleted.
#}
{% macro get_incremental_replace_actions_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set temp = arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ target }}
    where
        as_of_date >= {{ as_of_start() }}
        or action_id in (select action_id from {{ temp }});
    insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ temp }}
{% endmacro %}
