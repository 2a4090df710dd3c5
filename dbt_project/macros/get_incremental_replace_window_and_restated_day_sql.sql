{#
    As replace_window, for signals, which a build also computes for the day before its window (`signals_start`): rows of
    that restated day go to a table of their own, so that what was recorded of the day stays as it is.
#}
{% macro get_incremental_replace_window_and_restated_day_sql(arg_dict) %}
    {%- set day = restated_date() -%}
    {% if day %}
    create or replace table intermediate.{{ arg_dict['target_relation'].identifier }}__restated as
    select {{ arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') }} from {{ arg_dict['temp_relation'] }}
    where as_of_date = cast('{{ day }}' as date);
    {% endif %}
    {{ get_incremental_replace_window_sql(arg_dict) }}
{% endmacro %}
