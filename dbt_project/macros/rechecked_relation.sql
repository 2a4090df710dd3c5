{# Where the signals of the rechecked day stand, beside those that were told. #}
{% macro rechecked_relation(relation) -%}
    intermediate.{{ relation.identifier }}__rechecked
{%- endmacro %}
