{# Signals as sentences name them, by id: the label, and the id for who has to fetch it. #}
{% macro signal_labels() %}
    {%- set labels = {} -%}
    {%- for row in seed_rows('select signal, label from seeds.signals order by signal') -%}
        {%- do labels.update({row['signal']: (row['label'] ~ ' (' ~ row['signal'] ~ ')') if row['label'] else row['signal']}) -%}
    {%- endfor -%}
    {%- do return(labels) -%}
{% endmacro %}
