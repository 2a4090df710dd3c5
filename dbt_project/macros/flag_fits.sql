{# Whether the flag that a row of the playbook names, if any, is among the account's. #}
{% macro flag_fits(playbook, states) -%}
    ({{ playbook }}.flag is null or {{ is_among(playbook ~ '.flag', states ~ '.flags') }})
{%- endmacro %}
