{# Whether a domain is another one or below it, in any case. #}
{% macro is_of_domain(domain, parent) -%}
    ('.' || lower(trim({{ domain }}))) like ('%.' || {{ parent }})
{%- endmacro %}
