{# Whether the last row that landed for a key marks it as deleted, without a time. #}
{% macro is_deleted_at_all(key, version) -%}
    first_value(coalesce(is_deleted, false) and {{ version }} is null) over (
            partition by {{ key | join(', ') }}
            order by {{ newest_first() }}
        )
{%- endmacro %}
