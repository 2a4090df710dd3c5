{# Whole days from one DATE to a later one, as BIGINT. #}
{% macro days_between(earlier, later) -%}
    {{ adapter.dispatch('days_between', 'radar')(earlier, later) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    cast(datediff('day', {{ earlier }}, {{ later }}) as bigint)
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    cast(datediff({{ later }}, {{ earlier }}) as bigint)
{%- endmacro %}
