{#
    The scored dates, as a list of DATE literals, that int_changed_transitions compares and that other rules scored; empty
    where there are none. Today's rules are evaluated on these dates alone: their view has every date of history.
#}
{% macro dates_of_other_rules() -%}
    {%- set dates = [] -%}
    {%- for row in seed_rows(
        'select distinct compared_with as day from ' ~ ref('int_changed_transitions')
        ~ ' where rule_version <> rule_version_before order by day'
    ) -%}
        {%- do dates.append("cast('" ~ row['day'] ~ "' as date)") -%}
    {%- endfor -%}
    {{ dates | join(', ') }}
{%- endmacro %}
