{#
    The columns of one part of a union, which has all `columns` in their order: its own `values`, and null for the others,
    a DATE where the name begins with last_date, else a DOUBLE.
#}
{% macro union_columns(columns, values) -%}
    {%- for name in columns %}
    {{ values.get(name, 'cast(null as ' ~ ('date' if name.startswith('last_date') else 'double') ~ ')') }} as {{ name }}
    {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
