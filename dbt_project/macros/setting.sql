{# The number of a setting, as the seed `settings` holds it. #}
{% macro setting(name) -%}
    (select settings.value from {{ ref('settings') }} as settings where settings.setting = '{{ name }}')
{%- endmacro %}
