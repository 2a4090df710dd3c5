{#
    Rows of `replace_window` are written once: what dbt would first keep in a temporary table becomes a temporary
    view, which the strategy reads straight into the table. A model that reads the rows that it replaces keeps its
    temporary table.
#}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- if temporary
        and config.get('incremental_strategy') == 'replace_window'
        and this.identifier not in compiled_code
    -%}
        {%- if config.get('contract').enforced -%}
            {{ get_assert_columns_equivalent(compiled_code) }}
        {%- endif -%}
        create or replace temporary view {{ relation.include(database=false, schema=false) }} as (
            {{ compiled_code }}
        );
    {%- elif language == 'sql' and not temporary and order_of_days() -%}
        {{ dbt.duckdb__create_table_as(
            temporary, relation, 'select * from (' ~ compiled_code ~ ') as rows_of_days ' ~ order_of_days()
        ) }}
    {%- else -%}
        {{ dbt.duckdb__create_table_as(temporary, relation, compiled_code, language, partitioned_by, sorted_by) }}
    {%- endif -%}
{%- endmacro %}
