{# The quantile of the normal distribution that an interval of 95 % is made with, a DOUBLE. #}
{% macro normal_quantile() -%}
    cast(1.959963984540054 as double)
{%- endmacro %}
