{#
    From versions to days: the version in force at the end of each day. The first version also speaks for
    the days before it; of several versions of one day the last counts.
    Adds valid_from_date and valid_to_date (both included) and is_first_version to `relation`.
#}
{% macro version_intervals(relation, key, version_at) %}
    select
        ordered_versions.*,
        case
            when is_first_version then date '0001-01-01'
            else version_date
        end as valid_from_date,
        coalesce({{ add_days('next_version_date', -1) }}, date '9999-12-31') as valid_to_date
    from (
        select
            *,
            cast({{ version_at }} as date) as version_date,
            row_number() over (partition by {{ key }} order by {{ version_at }}) = 1 as is_first_version,
            lead(cast({{ version_at }} as date)) over (
                partition by {{ key }}
                order by {{ version_at }}
            ) as next_version_date
        from {{ relation }}
    ) as ordered_versions
    where
        next_version_date is null
        or next_version_date > case
            when is_first_version then date '0001-01-01'
            else version_date
        end
{% endmacro %}
