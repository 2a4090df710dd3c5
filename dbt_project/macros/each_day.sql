{# In a select list: makes of each row one row per date from one to the other, both included. #}
{% macro each_day(first_day, last_day) -%}
    {{ adapter.dispatch('each_day', 'radar')(first_day, last_day) }}
{%- endmacro %}

{% macro default__each_day(first_day, last_day) -%}
    cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date)
{%- endmacro %}

{% macro spark__each_day(first_day, last_day) -%}
    explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day))
{%- endmacro %}
