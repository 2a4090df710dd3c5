{#
    The told days, as a list of DATE literals, that pairs of int_score_pairs compare and that other rules scored; empty
    where there are none. Today's rules are evaluated on these days alone: their view holds every day of history.
#}
{% macro days_of_other_rules() -%}
    {%- set days = [] -%}
    {%- for row in seed_rows(
        'select distinct compared_with as day from ' ~ ref('int_score_pairs')
        ~ ' where rule_version <> rule_version_before order by day'
    ) -%}
        {%- do days.append("cast('" ~ row['day'] ~ "' as date)") -%}
    {%- endfor -%}
    {{ days | join(', ') }}
{%- endmacro %}
