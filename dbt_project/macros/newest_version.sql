{#
    The rows of a raw feed that win for their key, with the columns named.
    An account is named by the id that it has in the CRM, whatever the feed calls it (raw.account_aliases).
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

    {% if 'account_id' in columns %}
    select
        {% for column in columns %}
        {% if column == 'account_id' %}
        coalesce(aliases.resolved_account_id, ranked.account_id) as account_id{{ ',' if not loop.last }}
        {% else %}
        ranked.{{ column }}{{ ',' if not loop.last }}
        {% endif %}
        {% endfor %}
    from ranked
    left join {{ source('crm', 'account_aliases') }} as aliases
        on
            ranked.account_id = aliases.account_id
            and aliases.source = '{{ relation.identifier.split('_')[0] }}'
    where ranked.version_rank = 1
    {% else %}
    select
        {{ columns | join(',\n        ') }}
    from ranked
    where version_rank = 1
    {% endif %}

)

select * from final
{% endmacro %}
