{#
    The evidence sentence of a rule's row in the seeds with its values and thresholds filled in. Where the account's
    own goal was the threshold, `limit {threshold_n}` reads `own goal ...`; a sentence without these words says so
    at its end. Reads value_n_text, threshold_n_text and is_own_goal_n of the n-th condition.
#}
{% macro rule_evidence(variant, labels) -%}
    {%- set template = variant['evidence'] or variant['title'] or variant['rule_id'] -%}
    {%- set sentence = namespace(sql=quoted(template), ending='') -%}
    {%- for condition in variant['conditions'] -%}
        {%- set n = loop.index -%}
        {%- set blank = '{threshold_' ~ n ~ '}' -%}
        {%- if '{value_' ~ n ~ '}' in template -%}
            {%- set sentence.sql = "replace(" ~ sentence.sql ~ ", '{value_" ~ n ~ "}', value_" ~ n ~ "_text)" -%}
        {%- endif -%}
        {%- if 'limit ' ~ blank in template -%}
            {%- set sentence.sql -%}
                replace(
                    {{ sentence.sql }},
                    'limit {{ blank }}',
                    case when is_own_goal_{{ n }} then 'own goal ' else 'limit ' end || threshold_{{ n }}_text
                )
            {%- endset -%}
        {%- else -%}
            {%- set sentence.ending -%}
                {{ sentence.ending }}
                || case
                    when is_own_goal_{{ n }}
                        then {{ quoted(' (own goal for ' ~ labels[condition['signal']] ~ ': ') }} || threshold_{{ n }}_text || ')'
                    else ''
                end
            {%- endset -%}
        {%- endif -%}
        {%- if blank in template -%}
            {%- set sentence.sql = "replace(" ~ sentence.sql ~ ", '" ~ blank ~ "', threshold_" ~ n ~ "_text)" -%}
        {%- endif -%}
    {%- endfor -%}
    {{ sentence.sql }}{{ sentence.ending }}
{%- endmacro %}
