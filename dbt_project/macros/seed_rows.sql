{#
    The rows of a query as a list of dictionaries, text as text: how a model is written from seeds. Reports what to do
    where a table that the query names is not there yet.
#}
{% macro seed_rows(query) %}
    {%- if not execute -%}{%- do return([]) -%}{%- endif -%}
    {%- for schema, name in modules.re.findall('from "?([a-z_]+)"?[.]"?([a-z_]+)"?', query) -%}
        {%- if not adapter.get_relation(target.database, schema, name) -%}
            {{ exceptions.raise_compiler_error(
                model.name ~ ' is written from ' ~ schema ~ '.' ~ name ~ ', which this warehouse does not have yet: run `dbt '
                ~ ('seed' if schema == 'seeds' else 'build --select +' ~ model.name) ~ '` first, or `radar run`'
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {%- set rows = [] -%}
    {%- for row in run_query(query).rows -%}
        {%- do rows.append(row.dict()) -%}
    {%- endfor -%}
    {%- do return(rows) -%}
{% endmacro %}
