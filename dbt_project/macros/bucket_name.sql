{# The bucket of a rank: 1 at_risk, 2 watch, 3 healthy. #}
{% macro bucket_name(rank) -%}
    case {{ rank }} when 1 then 'at_risk' when 2 then 'watch' when 3 then 'healthy' end
{%- endmacro %}
