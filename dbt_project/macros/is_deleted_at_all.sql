{# Whether the last row that landed for a key says that it is deleted, without saying from when. #}
{% macro is_deleted_at_all(key, version) -%}
    first_value(coalesce(is_deleted, false) and {{ version }} is null) over (
            partition by {{ key | join(', ') }}
            order by {{ newest_first() }}
        )
{%- endmacro %}
