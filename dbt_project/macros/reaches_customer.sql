{# Whether what a play sends reaches the customer; all other channels stay inside the company. #}
{% macro reaches_customer(channel) -%}
    {{ channel }} in ('mail_draft', 'in_app_guide', 'survey')
{%- endmacro %}
