{#
    Whether a row of the playbook fits the state of an account: its bucket and its flag, where it names one. `states`
    needs the columns bucket and flags.
#}
{% macro play_fits(playbook, states) -%}
    ({{ playbook }}.bucket is null or {{ playbook }}.bucket = {{ states }}.bucket)
    and ({{ playbook }}.flag is null or {{ is_among(playbook ~ '.flag', states ~ '.flags') }})
{%- endmacro %}
