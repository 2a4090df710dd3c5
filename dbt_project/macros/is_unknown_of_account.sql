{# Whether a signal is unknown of this account alone: reads `unknown_signals` of the relation. `signal`: a name, or a column. #}
{% macro is_unknown_of_account(relation, signal, is_column=false) -%}
    coalesce({{ relation }}.unknown_signals like '% ' || {{ signal if is_column else "'" ~ signal ~ "'" }} || ' %', false)
{%- endmacro %}
