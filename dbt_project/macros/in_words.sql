{# A name as people write it in a sentence: at_risk becomes at risk. #}
{% macro in_words(name) -%}
    replace({{ name }}, '_', ' ')
{%- endmacro %}
