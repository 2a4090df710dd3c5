{#
    Whether lower-case text has one of the lower-case names as a whole word: no letter, digit or underscore
    next to it. The names become one constant pattern; a pattern per row would be compiled per row.
#}
{% macro has_whole_word(text, names) -%}
    {%- set escaped = [] -%}
    {%- for name in names -%}{%- do escaped.append(modules.re.escape(name)) -%}{%- endfor -%}
    {%- if not escaped -%}
        false
    {%- else -%}
        regexp_matches({{ text }}, {{ quoted(
            '(^|[^\\p{L}\\p{M}\\p{N}_])(' ~ escaped | join('|') ~ ')($|[^\\p{L}\\p{M}\\p{N}_])'
        ) }})
    {%- endif -%}
{%- endmacro %}
