{#
    What a true rule did, in words, to stand behind its evidence. Reads the columns of `rule_variants`, points_text, and
    where a rule of the set has a renewal weight renewal_text (days) and renewal_points_text (what it adds where the
    renewal is near).
#}
{% macro rule_effect(has_weights) -%}
    coalesce(
        effect,
        ' (' || points_text || ' points'
        {%- if has_weights %} || case
            when renewal_factor is null then ''
            when is_renewal_unknown then '; ' || renewal_points_text || renewal_unknown_words
            when days_to_renewal <= renewal_within_days then renewal_known_words || renewal_text || ' days'
            else ''
        end
        {%- endif %} || ')'
    )
{%- endmacro %}
