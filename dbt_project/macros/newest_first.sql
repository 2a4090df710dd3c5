{# The order of versions: the newest update, then the last landed, in a file the last row. #}
{% macro newest_first(version_column=none) -%}
    {%- if version_column %}{{ version_column }} desc nulls last, {% endif -%}
    _batch_id desc nulls last, _source_file desc nulls last, _row_number desc nulls last
{%- endmacro %}
