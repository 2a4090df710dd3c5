{# Relations are written without the database's name, so that views work in every copy of the warehouse. #}
{% macro ref() -%}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {%- do return(relation.include(database=false) if relation.include is defined else relation) -%}
{%- endmacro %}
