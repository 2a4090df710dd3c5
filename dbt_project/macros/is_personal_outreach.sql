{# Whether a touchpoint is an owner reaching out in person: a meeting, or an outbound contact that is no note. #}
{% macro is_personal_outreach() -%}
    {{ is_personal_contact() }}
    and (
        channel = 'meeting'
        or (direction = 'outbound' and channel <> 'note')
    )
{%- endmacro %}
