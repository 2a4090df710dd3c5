{# Whether a row of a staging model still counts at the end of a day. #}
{% macro not_deleted_by(day, relation=none) -%}
    coalesce({{ relation ~ '.' if relation }}deleted_date > {{ day }}, true)
{%- endmacro %}
