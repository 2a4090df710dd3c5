{# Whether the bucket that a row of the playbook names, if any, is the account's. #}
{% macro bucket_fits(playbook, states) -%}
    ({{ playbook }}.bucket is null or {{ playbook }}.bucket = {{ states }}.bucket)
{%- endmacro %}
