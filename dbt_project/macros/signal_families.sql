{# The families of signals: each has its table, signals.sig_<family>. #}
{% macro signal_families() %}
    {%- do return(['usage', 'adoption', 'support', 'billing', 'comms', 'relationship', 'value', 'sentiment']) -%}
{% endmacro %}
