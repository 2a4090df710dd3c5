{#
    The letters of a word, small: words that differ in case, blanks, hyphens or underscores alone are the same.
    Null where there are none. `and_digits`: with the digits, where words differ in them alone.
#}
{% macro letters_of(text, and_digits=false) -%}
    nullif(regexp_replace(lower({{ text }}), '[^\p{L}{{ '\\p{N}' if and_digits }}]', '', 'g'), '')
{%- endmacro %}
