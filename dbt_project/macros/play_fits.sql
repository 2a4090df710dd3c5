{#
    Whether a row of the playbook fits what was told of an account on a day: its bucket and its flag, where it names
    one. `told` needs the columns bucket and flags.
#}
{% macro play_fits(playbook, told) -%}
    coalesce({{ playbook }}.bucket, {{ told }}.bucket) = {{ told }}.bucket
    and {{ flag_fits(playbook, told) }}
{%- endmacro %}
