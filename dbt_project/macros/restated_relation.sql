{# Where the signals of the rechecked day stand, beside those that were told. #}
{% macro restated_relation(relation) -%}
    intermediate.{{ relation.identifier }}__restated
{%- endmacro %}
