{# The table of the restated date's signals; the recorded ones are in `relation` itself. #}
{% macro restated_relation(relation) -%}
    intermediate.{{ relation.identifier }}__restated
{%- endmacro %}
