{#
    One test of a table's rows, since every test of a build costs the same whatever it asks. Fails for each combination
    of `columns` that more than one row has, or that has a row in which a column of `not_null` is null, or a column of
    `accepted_values` is none of its values (null passes). `faults` names them.
#}
{% test valid_rows(model, columns, not_null=[], accepted_values={}) %}
{% set faults = ["case when count(*) > 1 then 'not unique' end"] %}
{% for column in not_null %}
{% do faults.append("case when bool_or(" ~ column ~ " is null) then '" ~ column ~ " is null' end") %}
{% endfor %}
{% for column, values in accepted_values.items() %}
{% set accepted = "'" ~ values | join("', '") ~ "'" %}
{% do faults.append("case when bool_or(" ~ column ~ " not in (" ~ accepted ~ ")) then 'other " ~ column ~ "' end") %}
{% endfor %}
with

checked as (

    select
        {{ columns | join(', ') }},
        count(*) as found_rows,
        concat_ws(', ', {{ faults | join(', ') }}) as faults
    from {{ model }}
    group by {{ columns | join(', ') }}

)

select * from checked
where faults != ''
{% endtest %}
