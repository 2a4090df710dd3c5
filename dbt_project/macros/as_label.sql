{# A name as people write it in a sentence: at_risk becomes at risk. #}
{% macro as_label(name) -%}
    replace({{ name }}, '_', ' ')
{%- endmacro %}
