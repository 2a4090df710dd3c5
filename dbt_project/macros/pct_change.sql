{# 100 * (new - old) / old as DOUBLE: one division of exact numbers, so 10 to 12 is exactly 20; 0 where old is 0. #}
{% macro pct_change(old, new) -%}
    case
        when coalesce({{ old }}, 0) = 0 then cast(0 as double)
        else cast(100 * ({{ new }} - {{ old }}) as double) / cast({{ old }} as double)
    end
{%- endmacro %}
