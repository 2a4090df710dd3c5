{#
    The incremental strategy of tables of spans of days, first_date to as_of_date: what lies in the window is replaced,
    and a span that reaches over one end of it, or both, keeps its days outside. What was told day by day before
    spans were kept has no first_date: its only day is as_of_date. The days outside are put back first: a model
    reads of its own rows only those before the window.
#}
{% macro get_incremental_replace_spans_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set temp = arg_dict['temp_relation'].include(database=false, schema=false) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- set outside = target.identifier ~ '__outside' -%}
    {%- set day_before = add_days(as_of_start(), -1) -%}
    {%- set day_after = add_days(as_of_end(), 1) -%}
    {%- set overlaps -%}
        as_of_date >= {{ as_of_start() }} and coalesce(first_date, as_of_date) <= {{ as_of_end() }}
    {%- endset -%}
    create or replace temporary table {{ outside }} as
    {% for is_before in [true, false] %}
    select
        {% for column in arg_dict['dest_columns'] %}
        {%- if is_before and column.name in ['as_of_date', 'last_open_on'] -%}
        {{ day_before }} as {{ column.quoted }}
        {%- elif not is_before and column.name == 'first_date' -%}
        {{ day_after }} as {{ column.quoted }}
        {%- else -%}
        {{ column.quoted }}
        {%- endif -%}
        {{ ', ' if not loop.last }}
        {%- endfor %}
    from {{ target }}
    where
        {{ overlaps }}
        and {{ 'first_date < ' ~ as_of_start() if is_before else 'first_date is not null and as_of_date > ' ~ as_of_end() }}
    {{ 'union all' if is_before }}
    {% endfor %};
    delete from {{ target }} where {{ overlaps }};
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ outside }};
    drop table {{ outside }};
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ temp }};
{% endmacro %}
