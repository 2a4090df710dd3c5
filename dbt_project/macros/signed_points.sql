{# Points as a rep reads them: with their sign, no trailing zeros. #}
{% macro signed_points(points) -%}
    case when {{ points }} > 0 then '+' else '' end || {{ format_number(points) }}
{%- endmacro %}
