{#
    As replace_window, and rows that a re-run changes or drops go to a table of the schema `audit` first, with the run
    that replaced them: `health_history_changes` for fct_health_history. The table gains the columns of the new build.
#}
{% macro get_incremental_replace_window_and_archive_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set archive = 'audit.' ~ target.identifier | replace('fct_', '') ~ '_changes' -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    create table if not exists {{ archive }} as
    select
        *,
        cast(null as varchar) as replaced_in_run,
        cast(null as timestamp) as replaced_at
    from {{ target }}
    limit 0;
    {% for column in arg_dict['dest_columns'] %}
    alter table {{ archive }} add column if not exists {{ column.quoted }} {{ column.data_type }};
    {% endfor %}
    insert into {{ archive }} ({{ columns }}, replaced_in_run, replaced_at)
    select
        changed.*,
        run_window.run_id,
        run_window.loaded_at
    from (
        select {{ columns }} from {{ target }}
        where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        except
        select {{ columns }} from {{ arg_dict['temp_relation'] }}
    ) as changed
    cross join control.run_window as run_window;
    {{ get_incremental_replace_window_sql(arg_dict) }}
{% endmacro %}
