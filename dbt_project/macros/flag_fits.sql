{# Whether the flag that a row of the playbook names, if any, is among those that were told. #}
{% macro flag_fits(playbook, told) -%}
    ({{ playbook }}.flag is null or {{ is_among(playbook ~ '.flag', told ~ '.flags') }})
{%- endmacro %}
