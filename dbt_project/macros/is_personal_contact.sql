{# Whether a touchpoint is a person's: by an owner, in either direction, and not automated. #}
{% macro is_personal_contact() -%}
    not coalesce(is_automated, false) and owner_id is not null
{%- endmacro %}
