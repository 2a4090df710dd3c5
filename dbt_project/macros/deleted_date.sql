{# The day from which a row counts no more, because it is marked as deleted; else null. #}
{% macro deleted_date(version) -%}
    case when is_deleted then cast({{ version }} as date) end
{%- endmacro %}
