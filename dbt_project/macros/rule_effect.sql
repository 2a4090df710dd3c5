{#
    What a true rule did, in words, to stand behind its evidence. Reads points_text, and of a rule with a renewal weight
    renewal_text (days) and renewal_points_text (what it adds where the renewal is near).
#}
{% macro rule_effect(variant) -%}
    {%- if variant['effect'] == 'points' -%}
        ' (' || points_text || ' points'
        {%- if variant['renewal_factor'] is not none %}
        || case
            when is_renewal_unknown
                then '; ' || renewal_points_text
                    || ' if the renewal is within {{ variant['renewal_within_days'] }} days, which is not known'
            when days_to_renewal <= {{ variant['renewal_within_days'] }}
                then '; counts {{ '%g' | format(variant['renewal_factor']) }} times: renewal in '
                    || renewal_text || ' days'
            else ''
        end
        {%- endif %} || ')'
    {%- elif variant['effect'] == 'flag' -%}
        ' (flag {{ variant['flag'] }}{{ ', bucket no better than ' ~ variant['bucket'] if variant['bucket'] }})'
    {%- elif variant['effect'] == 'cap' -%}
        ' (bucket no better than {{ variant['bucket'] }})'
    {%- else -%}
        ' (for a person to look at)'
    {%- endif -%}
{%- endmacro %}
