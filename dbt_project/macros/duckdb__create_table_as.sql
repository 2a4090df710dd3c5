{#
    Rows of `replace_window` are written once: what dbt would first keep in a temporary table becomes a temporary
    view, which the strategy reads straight into the table. A model that reads the rows that it replaces keeps its
    temporary table; `replace_spans` needs none, for it keeps what lies before the window. Tables of days are made with
    their text_compression, and in the order of days where they have one.
#}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- set is_of_days = language == 'sql' and config.get('incremental_strategy') in ['replace_window', 'replace_spans'] -%}
    {%- if not is_of_days or (
        temporary and config.get('incremental_strategy') == 'replace_window' and this.identifier in compiled_code
    ) -%}
        {{ dbt.duckdb__create_table_as(temporary, relation, compiled_code, language, partitioned_by, sorted_by) }}
    {%- else -%}
        {%- set is_enforced = config.get('contract').enforced -%}
        {%- if is_enforced -%}
            {{ get_assert_columns_equivalent(compiled_code) }}
        {%- endif -%}
        {%- if temporary -%}
        create or replace temporary view {{ relation.include(database=false, schema=false) }} as (
            {{ compiled_code }}
        );
        {%- else -%}
            {%- set columns = [] -%}
            {%- for column in model['columns'].values() if is_enforced -%}
                {%- do columns.append([column['name'], column['data_type']]) -%}
            {%- endfor -%}
            {%- for column in ([] if is_enforced else get_column_schema_from_query(compiled_code)) -%}
                {%- do columns.append([column.name, column.dtype]) -%}
            {%- endfor -%}
        create table {{ relation }} (
            {%- for name, type in columns %}
            {{ adapter.quote(name) }} {{ type }} {{ text_compression(name, type) }}{{ ',' if not loop.last }}
            {%- endfor %}
        );
        insert into {{ relation }} by name
        select * from ({{ compiled_code }}) as rows_of_days {{ order_of_days() }};
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
