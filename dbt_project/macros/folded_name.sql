{#
    A name of an event without what writers of names vary: small letters without accents, and no blank, hyphen,
    underscore or dot but between two digits (step_1_2 is not step_12). Null where no letter or digit is left.
    The checks of the feed read this file too, so it takes nothing from dbt.
#}
{% macro folded_name(name) -%}
    nullif(trim(
        regexp_replace(
            regexp_replace(
                regexp_replace(strip_accents(lower({{ name }})), '[^\p{L}\p{N}]+', '_', 'g'),
                '(\p{L})_', '\1', 'g'
            ),
            '_(\p{L})', '\1', 'g'
        ),
        '_'
    ), '')
{%- endmacro %}
