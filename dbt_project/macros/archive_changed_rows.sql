{#
    Keeps what was told: rows of the window that the new build does not hold unchanged go to `archive`,
    with the run that replaced them, before they are deleted. A column that the table has gained is added.
#}
{% macro archive_changed_rows(target, temp, archive, columns, window) %}
    {%- set names = columns | map(attribute='quoted') | join(', ') -%}
    create table if not exists {{ archive }} as
    select
        *,
        cast(null as varchar) as replaced_in_run,
        cast(null as timestamp) as replaced_at
    from {{ target }}
    limit 0;
    {% for column in columns %}
    alter table {{ archive }} add column if not exists {{ column.quoted }} {{ column.data_type }};
    {% endfor %}
    insert into {{ archive }} ({{ names }}, replaced_in_run, replaced_at)
    select
        changed.*,
        run_window.run_id,
        run_window.loaded_at
    from (
        select {{ names }} from {{ target }} where {{ window }}
        except
        select {{ names }} from {{ temp }}
    ) as changed
    cross join control.run_window as run_window;
{% endmacro %}
