{#
    The evidence sentence of a rule's row in the seeds with its values and thresholds filled in. Where the account's
    own goal was the threshold, `limit {threshold_n}` reads `own goal ...`; a sentence without these words says so
    at its end.
#}
{% macro rule_evidence(variant, labels) -%}
    {%- set template = variant['evidence'] or variant['title'] or variant['rule_id'] -%}
    {%- set sentence = namespace(sql=quoted(template), ending='') -%}
    {%- for condition in variant['conditions'] -%}
        {%- set blank = '{threshold_' ~ loop.index ~ '}' -%}
        {%- set goal = 'goal_' ~ condition['signal'] -%}
        {%- set threshold = format_number(condition_threshold(condition)) -%}
        {%- set sentence.sql -%}
            replace({{ sentence.sql }}, '{value_{{ loop.index }}}', {{ format_number(condition['signal']) }})
        {%- endset -%}
        {%- if 'limit ' ~ blank in template -%}
            {%- set sentence.sql -%}
                replace(
                    {{ sentence.sql }},
                    'limit {{ blank }}',
                    case when {{ goal }} is null then 'limit ' else 'own goal ' end || {{ threshold }}
                )
            {%- endset -%}
        {%- else -%}
            {%- set sentence.ending -%}
                {{ sentence.ending }}
                || case
                    when {{ goal }} is null then ''
                    else {{ quoted(' (own goal for ' ~ labels[condition['signal']] ~ ': ') }} || {{ threshold }} || ')'
                end
            {%- endset -%}
        {%- endif -%}
        {%- set sentence.sql -%}
            replace({{ sentence.sql }}, '{{ blank }}', {{ threshold }})
        {%- endset -%}
    {%- endfor -%}
    {{ sentence.sql }}{{ sentence.ending }}
{%- endmacro %}
