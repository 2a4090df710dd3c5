{#
    The rows of a raw feed that win for their key, with the columns named.
    `key`: the column or columns that identify a fact. `version`: the column whose greatest value wins.
#}
{% macro newest_version(relation, key, columns, version=none) %}
with

ranked as (

    select
        *,
        row_number() over (
            partition by {{ key | join(', ') }}
            order by {{ newest_first(version) }}
        ) as version_rank
    from {{ relation }}

),

final as (

    select
        {{ columns | join(',\n        ') }}
    from ranked
    where version_rank = 1

)

select * from final
{% endmacro %}
