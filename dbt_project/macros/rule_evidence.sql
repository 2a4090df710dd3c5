{#
    The evidence sentence of a rule's row in the seeds with its values and thresholds filled in. Where the account's
    own goal was the threshold, `limit {threshold_n}` reads `own goal ...`; a sentence without these words says so
    at its end. Reads the columns of `rule_variants`, goal_n, value_n_text and threshold_n_text.
#}
{% macro rule_evidence(positions, templates) -%}
    {%- set sentence = namespace(sql='sentence', ending='') -%}
    {%- set all_templates = templates | join(' ') -%}
    {%- for n in positions -%}
        {%- set own_or_limit = "case when goal_" ~ n ~ " is null then 'limit ' else 'own goal ' end || threshold_" ~ n ~ "_text" -%}
        {%- set fillings = [
            ('{value_' ~ n ~ '}', 'value_' ~ n ~ '_text'),
            ('limit {threshold_' ~ n ~ '}', own_or_limit),
            ('{threshold_' ~ n ~ '}', 'threshold_' ~ n ~ '_text'),
        ] -%}
        {%- for blank, filling in fillings if blank in all_templates -%}
            {%- set sentence.sql = "replace(" ~ sentence.sql ~ ", '" ~ blank ~ "', " ~ filling ~ ")" -%}
        {%- endfor -%}
        {%- set sentence.ending -%}
            {{ sentence.ending }}
            || case when goal_{{ n }} is null then '' else coalesce(goal_words_{{ n }} || threshold_{{ n }}_text || ')', '') end
        {%- endset -%}
    {%- endfor -%}
    {{ sentence.sql }} {{ sentence.ending }}
{%- endmacro %}
