{# Seeds are read by DuckDB itself, as dbt-duckdb has it, also from a folder with an apostrophe in its path. #}
{% macro duckdb__load_csv_rows(model, agate_table) %}
    {%- set sql -%}
        copy {{ this.render() }} from {{ quoted(adapter.get_seed_file_path(model)) }} (format csv, header true)
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {%- do return(sql) -%}
{% endmacro %}
