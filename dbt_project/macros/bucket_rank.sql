{# Buckets as numbers that compare: at_risk 1, watch 2, healthy 3. #}
{% macro bucket_rank(bucket) -%}
    case {{ bucket }} when 'at_risk' then 1 when 'watch' then 2 when 'healthy' then 3 end
{%- endmacro %}
