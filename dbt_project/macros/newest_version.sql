{#
    The rows of a raw feed that win for their key, with the columns named.
    `key`: the column or columns that identify a fact. `version`: the column whose greatest value wins.

    A row that says of itself that it is deleted counts no more from the day of its version on (`deleted_date`); one
    without a version counts no more at all, whatever versions landed before it.
#}
{% macro newest_version(relation, key, columns, version=none) %}
with

ranked as (

    select
        *,
        {% if version %}
        {{ deleted_date(version) }} as deleted_date,
        {{ is_deleted_at_all(key, version) }} as is_deleted_at_all,
        {% endif %}
        row_number() over (
            partition by {{ key | join(', ') }}
            order by {{ newest_first(version) }}
        ) as version_rank
    from {{ relation }}

),

final as (

    select
        {{ columns | join(',\n        ') }}
        {%- if version %},
        deleted_date
        {%- endif %}
    from ranked
    where
        version_rank = 1
        and not {{ 'is_deleted_at_all' if version else 'coalesce(is_deleted, false)' }}

)

select * from final
{% endmacro %}
