{# The first DATE on which an override has expired: the day of its expires_at, else settings.override_days on. #}
{% macro override_expiry_date() -%}
    coalesce(
        cast(expires_at as date),
        {{ add_days('cast(overridden_at as date)', setting('override_days')) }}
    )
{%- endmacro %}
