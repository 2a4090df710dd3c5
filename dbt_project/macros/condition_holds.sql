{# Whether a condition holds: true, false, or null where its signal is unknown or null and the rule does not say otherwise. #}
{% macro condition_holds(condition) -%}
    {%- set comparison -%}
        (cast({{ condition['signal'] }} as double) {{ condition['operator'] }} {{ condition_threshold(condition) }})
    {%- endset -%}
    {%- if condition['when_null'] is not none -%}
        coalesce({{ comparison }}, {{ condition['when_null'] | string | lower }})
    {%- else -%}
        {{ comparison }}
    {%- endif -%}
{%- endmacro %}
