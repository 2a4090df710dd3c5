{# The order of versions: the newest update, then the last landed, in a file the last row. #}
{% macro newest_first(version_column=none) -%}
    {%- if version_column %}{{ version_column }} desc nulls last, {% endif -%}
    _batch_id desc, _source_file desc, _row_number desc
{%- endmacro %}
