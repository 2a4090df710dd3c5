{# Text that names signals by id, with their labels instead. Needs the comment `depends_on` of the seed signals. #}
{% macro signals_in_words(text) -%}
    {%- set words = namespace(sql=text) -%}
    {%- for row in seed_rows('select signal, label from seeds.signals where label is not null order by length(signal) desc, signal') -%}
        {%- set words.sql = 'replace(' ~ words.sql ~ ', ' ~ quoted(row['signal']) ~ ', ' ~ quoted(row['label']) ~ ')' -%}
    {%- endfor -%}
    {{ words.sql }}
{%- endmacro %}
