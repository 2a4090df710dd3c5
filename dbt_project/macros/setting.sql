{# The number of a setting, as in the seed `settings`. #}
{% macro setting(name) -%}
    (select settings.value from {{ ref('settings') }} as settings where settings.setting = '{{ name }}')
{%- endmacro %}
