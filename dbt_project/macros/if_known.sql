{# A signal's value on days on which every feed that it needs is known, else null. Needs the CTE `known`. #}
{% macro if_known(signal, value) -%}
    case when known.{{ signal }} then {{ value }} end as {{ signal }}
{%- endmacro %}
