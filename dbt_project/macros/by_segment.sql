{#
    One expression of a rule from those of its variants: a segment's own row speaks for that segment, the general
    row for all others. `expressions` is a list as long as the rule's variants; `otherwise` is for accounts that no
    row speaks for.
#}
{% macro by_segment(rule, expressions, otherwise='null') -%}
    {%- set general = namespace(value=otherwise) -%}
    {%- set branches = [] -%}
    {%- for variant in rule['variants'] -%}
        {%- if variant['segment'] -%}
            {%- do branches.append(
                "when segment = " ~ quoted(variant['segment']) ~ " then " ~ expressions[loop.index0]
            ) -%}
        {%- else -%}
            {%- set general.value = expressions[loop.index0] -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if general.value != otherwise and expressions | unique | list | length == 1 -%}
        {{ general.value }}
    {%- elif branches -%}
        case {{ branches | join(' ') }} else {{ general.value }} end
    {%- else -%}
        {{ general.value }}
    {%- endif -%}
{%- endmacro %}
