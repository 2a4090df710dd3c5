{#
    The incremental strategy of every table that is keyed by as-of date: the days of the run are replaced whole.
    With `meta.archive` set, rows that a re-run changes are copied to that audit table. With `meta.is_rechecked`, rows
    of the rechecked day go to a table of their own, so that the day stands as it was told. With `meta.is_of_build`, days
    of other builds are not held.
#}
{% macro get_incremental_replace_window_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set temp = arg_dict['temp_relation'].include(database=false, schema=false) -%}
    {%- set before = target.identifier ~ '__before' -%}
    {%- set computed = target.identifier ~ '__computed' -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- set meta = config.get('meta', {}) -%}
    {%- set archive = meta.get('archive') -%}
    {%- set rechecked = rechecked_date() if meta.get('is_rechecked') else none -%}
    {%- set rows = computed if rechecked else temp -%}
    {% if rechecked %}
    create or replace temporary table {{ computed }} as select {{ columns }} from {{ temp }};
    create or replace table {{ rechecked_relation(target) }} as
    select * from {{ computed }} where as_of_date = cast('{{ rechecked }}' as date);
    {% endif %}
    {% if meta.get('is_of_build') %}
    delete from {{ target }};
    {% endif %}
    {% for days in window_chunks() %}
    {% if archive %}
    create or replace temporary table {{ before }} as
    select * from {{ target }} where {{ days }};
    {% endif %}
    delete from {{ target }} where {{ days }};
    insert into {{ target }} ({{ columns }})
    {% if meta.get('is_gathered') %}
    {# Gathered first, so that all threads write what one has joined. An account's days of a piece stay together:
       what reads them next finds its spans in the caches. -#}
    with rows_of_days as materialized (
        select {{ columns }} from {{ rows }} where {{ days }}
    )
    select * from rows_of_days;
    {% else %}
    select {{ columns }} from {{ rows }} where {{ days }} {{ order_of_days() }};
    {% endif %}
    {% if archive %}
    {{ archive_changed_rows(target, before, archive, arg_dict['dest_columns'], days) }}
    drop table {{ before }};
    {% endif %}
    {% endfor %}
    {% if rechecked %}
    drop table {{ computed }};
    {% endif %}
{% endmacro %}
