{#
    Keeps what was told: rows of the window that the new build does not hold unchanged go to `archive`,
    with the run that replaced them, before they are deleted.
#}
{% macro archive_changed_rows(target, temp, archive, columns, window) %}
    create table if not exists {{ archive }} as
    select
        *,
        cast(null as varchar) as replaced_in_run,
        cast(null as timestamp) as replaced_at
    from {{ target }}
    limit 0;
    insert into {{ archive }} ({{ columns }}, replaced_in_run, replaced_at)
    select
        changed.*,
        run_window.run_id,
        run_window.loaded_at
    from (
        select {{ columns }} from {{ target }} where {{ window }}
        except
        select {{ columns }} from {{ temp }}
    ) as changed
    cross join control.run_window as run_window;
{% endmacro %}
