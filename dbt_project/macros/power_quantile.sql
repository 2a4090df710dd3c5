{# The quantile of the normal distribution by which an effect that is there is found 80 times of 100, a DOUBLE. #}
{% macro power_quantile() -%}
    cast(0.8416212335729143 as double)
{%- endmacro %}
