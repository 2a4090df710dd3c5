{#
    A signal's value on days on which every feed that it needs is known, and for accounts of which no row of these feeds
    is missing, else null. Needs the CTEs `known` and `accounts`.
#}
{% macro if_known(signal, value) -%}
    case
        when known.{{ signal }} and not {{ is_unknown_of_account('accounts', signal) }} then {{ value }}
    end as {{ signal }}
{%- endmacro %}
