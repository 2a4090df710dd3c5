{#
    The rows of a raw feed that win for their key, with the columns named.
    An account is named by the id that it has in the CRM, whatever the feed calls it (raw.account_aliases).
    Rows of contacts that seeds/excluded.csv leaves out are none.
    `key`: the column or columns that identify a fact. `version`: the column whose greatest value wins.
    `amount`: the column that is in the row's currency, given on in USD too by the rate of the day of `amount_at`.

    A row that is marked as deleted counts no more from the day of its version on (`deleted_date`); one
    without a version counts no more at all, whatever versions landed before it.
#}
{% macro newest_version(relation, key, columns, version=none, amount=none, amount_at=none) %}
with

ranked as (

    select
        *,
        {% if version %}
        case when is_deleted then cast({{ version }} as date) end as deleted_date,
        first_value(coalesce(is_deleted, false) and {{ version }} is null) over (
            partition by {{ key | join(', ') }}
            order by {{ newest_first() }}
        ) as is_deleted_at_all,
        {% endif %}
        row_number() over (
            partition by {{ key | join(', ') }}
            order by {{ newest_first(version) }}
        ) as version_rank
    from {{ relation }}

),

final as (

    select
        {% if amount %}
        {{ amount_in_usd(amount) }},
        {% endif %}
        {% for column in columns %}
        {% if column == 'account_id' %}
        coalesce(aliases.resolved_account_id, ranked.account_id) as account_id
        {%- else %}
        ranked.{{ column }}
        {%- endif %}
        {{- ',' if version or not loop.last }}
        {% endfor %}
        {% if version %}
        ranked.deleted_date
        {% endif %}
    from ranked
    {% if amount %}
    {{ join_rate(amount_at) }}
    {% endif %}
    {% if 'account_id' in columns %}
    left join {{ source('crm', 'account_aliases') }} as aliases
        on
            ranked.account_id = aliases.account_id
            and aliases.source = '{{ relation.identifier.split('_')[0] }}'
    {% endif %}
    where
        ranked.version_rank = 1
        and not {{ 'ranked.is_deleted_at_all' if version else 'coalesce(ranked.is_deleted, false)' }}
        {% if 'contact_id' in columns %}
        and not exists (
            select 1
            from {{ ref('stg_crm__excluded_contacts') }} as excluded_contacts
            where ranked.contact_id = excluded_contacts.contact_id
        )
        {% endif %}

)

select * from final
{% endmacro %}
