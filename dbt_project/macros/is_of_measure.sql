{#
    Whether a row of seeds/product_events.csv counts for a measure: an expression over its columns. Four measures have
    a column of their own, milestones are named, and `measures` lists those that an installation adds.
#}
{% macro is_of_measure(measure) -%}
    {%- if measure == 'any' -%}
        true
    {%- elif measure == 'milestone' -%}
        (milestone is not null)
    {%- elif measure in ['login', 'key_feature', 'premium', 'advanced'] -%}
        coalesce(is_{{ measure }}, false)
    {%- else -%}
        coalesce(list_contains(string_split(measures, ' '), '{{ measure }}'), false)
    {%- endif -%}
{%- endmacro %}
