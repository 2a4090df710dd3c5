{# A number as a rep reads it: at most two decimals, no trailing zeros; '?' where it is unknown. #}
{% macro format_number(value) -%}
    case
        -- whole numbers, most of all, need no pattern
        when cast({{ value }} as bigint) = {{ value }}
            then cast(cast({{ value }} as bigint) as {{ dbt.type_string() }})
        else coalesce(
            regexp_replace(regexp_replace(cast(cast({{ value }} as decimal(18, 2)) as {{ dbt.type_string() }}), '0+$', ''), '[.]$', ''),
            '?'
        )
    end
{%- endmacro %}
