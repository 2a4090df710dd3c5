{# The segment by which an account finds its row of `rule_variants`: its own where a rule of the set names it, else ''. #}
{% macro spoken_segment(rule_set) -%}
    {%- set segments = [] -%}
    {%- for rule in rule_set['rules'] -%}
        {%- for variant in rule['variants'] if variant['segment'] -%}
            {%- do segments.append(quoted(variant['segment'])) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if segments -%}
        case when evaluations.segment in ({{ segments | unique | join(', ') }}) then evaluations.segment else '' end
    {%- else -%}
        ''
    {%- endif -%}
{%- endmacro %}
