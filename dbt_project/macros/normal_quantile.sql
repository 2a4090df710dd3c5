{# The quantile of the normal distribution that an interval of 95 % (or of 99 %) is made with, a DOUBLE. #}
{% macro normal_quantile(percent=95) -%}
    cast({{ {95: '1.959963984540054', 99: '2.5758293035489004'}[percent] }} as double)
{%- endmacro %}
