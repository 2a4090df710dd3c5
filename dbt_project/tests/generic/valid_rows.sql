{# Fails for every combination of the columns that more than one row has, or of which a column of `not_null` is null. #}
{% test valid_rows(model, columns, not_null=[]) %}
    select
        {{ columns | join(', ') }},
        count(*) as found_rows
    from {{ model }}
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {% for column in not_null %}
        or {{ column }} is null
        {% endfor %}
{% endtest %}
