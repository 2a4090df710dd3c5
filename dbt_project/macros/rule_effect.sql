{# What a true rule did, in words, to stand behind its evidence. `points`: the column of what it added. #}
{% macro rule_effect(variant, points) -%}
    {%- if variant['effect'] == 'points' -%}
        ' (' || {{ signed_points(points) }} || ' points'
        {%- if variant['renewal_factor'] is not none %}
        || case
            when is_renewal_unknown
                then '; '
                    || {{ signed_points(points ~ ' * ' ~ variant['renewal_factor']) }}
                    || ' if the renewal is within {{ variant['renewal_within_days'] }} days, which is not known'
            when days_to_renewal <= {{ variant['renewal_within_days'] }}
                then '; counts {{ '%g' | format(variant['renewal_factor']) }} times: renewal in '
                    || {{ format_number('days_to_renewal') }} || ' days'
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
