{# One text of several columns, another one for each combination of values. #}
{% macro text_of_list(columns) -%}
    {{ adapter.dispatch('text_of_list', 'radar')(columns) }}
{%- endmacro %}

{% macro default__text_of_list(columns) -%}
    cast(json_array({{ columns | join(', ') }}) as varchar)
{%- endmacro %}

{% macro spark__text_of_list(columns) -%}
    concat_ws(',', {% for column in columns %}to_json(struct({{ column }})){{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
