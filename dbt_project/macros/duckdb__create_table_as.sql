{#
    Rows of `replace_window` are written once: what dbt would first keep in a temporary table becomes a temporary
    view, which the strategy reads straight into the table. A model that reads the rows that it replaces keeps its
    temporary table; `replace_spans` needs none, for it keeps what lies before the window. Tables of days are made in
    the order of days where they have one.
#}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- set is_of_days = language == 'sql' and config.get('incremental_strategy') in ['replace_window', 'replace_spans'] -%}
    {%- if not is_of_days or (
        temporary and config.get('incremental_strategy') == 'replace_window' and this.identifier in compiled_code
    ) -%}
        {{ dbt.duckdb__create_table_as(temporary, relation, compiled_code, language, partitioned_by, sorted_by) }}
    {%- elif temporary -%}
        {%- if config.get('contract').enforced -%}
            {{ get_assert_columns_equivalent(compiled_code) }}
        {%- endif -%}
        create or replace temporary view {{ relation.include(database=false, schema=false) }} as (
            {{ compiled_code }}
        );
    {%- else -%}
        {%- set rows_of_days = 'select * from (\n' ~ compiled_code ~ '\n) as rows_of_days ' ~ order_of_days() -%}
        {{ dbt.duckdb__create_table_as(temporary, relation, rows_of_days, language, partitioned_by, sorted_by) }}
    {%- endif -%}
{%- endmacro %}
