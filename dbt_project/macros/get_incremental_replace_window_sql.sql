{#
    The incremental strategy of every table that is keyed by as-of date: the days of the run are replaced whole.
    With `meta.archive` set, rows that a re-run changes are copied to that audit table.
#}
{% macro get_incremental_replace_window_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set temp = arg_dict['temp_relation'].include(database=false, schema=false) -%}
    {%- set before = target.identifier ~ '__before' -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- set archive = config.get('meta', {}).get('archive') -%}
    {%- set window -%} as_of_date between {{ as_of_start() }} and {{ as_of_end() }} {%- endset -%}
    {% if archive %}
    create or replace temporary table {{ before }} as
    select * from {{ target }} where {{ window }};
    {% endif %}
    delete from {{ target }} where {{ window }};
    insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ temp }};
    {% if archive %}
    {{ archive_changed_rows(target, before, archive, arg_dict['dest_columns'], window) }}
    drop table {{ before }};
    {% endif %}
{% endmacro %}
