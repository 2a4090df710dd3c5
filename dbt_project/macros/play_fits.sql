{#
    Whether a row of the playbook fits the state of an account: its bucket and its flag, where it names one. `states`
    needs the columns bucket and flags.
#}
{% macro play_fits(playbook, states) -%}
    {{ bucket_fits(playbook, states) }} and {{ flag_fits(playbook, states) }}
{%- endmacro %}
