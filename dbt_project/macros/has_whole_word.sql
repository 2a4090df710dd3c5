{# Whether lower-case text holds a lower-case name as a whole word: no letter, digit or underscore beside it. #}
{% macro has_whole_word(text, name) -%}
    {{ adapter.dispatch('has_whole_word', 'radar')(text, name) }}
{%- endmacro %}

{% macro default__has_whole_word(text, name) -%}
    regexp_matches(
        {{ text }}, '(^|[^\p{L}\p{M}\p{N}_])' || regexp_escape({{ name }}) || '($|[^\p{L}\p{M}\p{N}_])'
    )
{%- endmacro %}

{% macro spark__has_whole_word(text, name) -%}
    {{ text }} rlike concat(
        '(^|[^\\p{L}\\p{M}\\p{N}_])', '\\Q', {{ name }}, '\\E', '($|[^\\p{L}\\p{M}\\p{N}_])'
    )
{%- endmacro %}
