{# A query of one column, `day`: every date from one to the other, both included. #}
{% macro date_range(first_day, last_day) -%}
    {{ adapter.dispatch('date_range', 'radar')(first_day, last_day) }}
{%- endmacro %}

{% macro default__date_range(first_day, last_day) -%}
    select cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date) as day
{%- endmacro %}

{% macro spark__date_range(first_day, last_day) -%}
    select explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day)) as day
{%- endmacro %}
