{# The evidence sentence of a rule's row in the seeds with its values and thresholds filled in. #}
{% macro rule_evidence(variant) -%}
    {%- set sentence = namespace(sql=quoted(variant['evidence'] or variant['title'] or variant['rule_id'])) -%}
    {%- for condition in variant['conditions'] -%}
        {%- set number = loop.index -%}
        {%- set sentence.sql -%}
            replace({{ sentence.sql }}, '{value_{{ number }}}', {{ format_number(condition['signal']) }})
        {%- endset -%}
        {%- set sentence.sql -%}
            replace({{ sentence.sql }}, '{threshold_{{ number }}}', {{ format_number(condition_threshold(condition)) }})
        {%- endset -%}
    {%- endfor -%}
    {{ sentence.sql }}
{%- endmacro %}
