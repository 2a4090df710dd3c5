{# Whether a bucket foresaw what became of the account; null where the bucket or the outcome is not known. #}
{% macro is_bucket_right(bucket, outcome) -%}
    case {{ outcome }}
        when 'churned' then {{ bucket }} = 'at_risk'
        when 'downgraded' then {{ bucket }} in ('at_risk', 'watch')
        when 'stayed' then {{ bucket }} in ('healthy', 'watch')
    end
{%- endmacro %}
