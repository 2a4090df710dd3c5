{#
    What enters or leaves a count, and on which day, for `intervals_of_changes`: each of `changes` names a relation of
    accounts (`from`), the `day`, perhaps a condition (`where`), and what it adds to those of the `measures` that it
    changes.
#}
{% macro changes_of(changes, measures) %}
    {% for change in changes %}
    select
        account_id,
        {{ change['day'] }} as day{% for measure in measures %},
        {{ change.get(measure, '0') }} as {{ measure }}{% endfor %}
    from {{ change['from'] }}
    {{ 'where ' ~ change['where'] if 'where' in change }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{% endmacro %}
