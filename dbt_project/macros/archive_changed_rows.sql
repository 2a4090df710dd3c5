{#
    Keeps what was told: rows that stood in the window before and that the new build does not hold unchanged go to
    `archive`, with the run that replaced them. `before` holds them, `columns` are those of the new build.
#}
{% macro archive_changed_rows(target, before, archive, columns, window) %}
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
        select {{ names }} from {{ before }}
        except
        select {{ names }} from {{ target }}
        where {{ window }} and as_of_date in (select distinct {{ before }}.as_of_date from {{ before }})
    ) as changed
    cross join control.run_window as run_window;
{% endmacro %}
