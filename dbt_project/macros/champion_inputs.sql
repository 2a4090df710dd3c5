{#
    The relation that history and ledger read what the champion's rules read from: the table of this build's days, or,
    where only a part of the project is built and not that table, the view.
#}
{% macro champion_inputs() -%}
    {%- set table, view = ref('int_champion_inputs'), ref('int_rule_inputs') -%}
    {{ table if 'model.radar.int_champion_inputs' in selected_resources else view }}
{%- endmacro %}
