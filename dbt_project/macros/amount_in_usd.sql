{#
    An amount of the CTE `ranked` in the currency of its row: as it came, in which currency, and in USD. Needs `join_rate`.
    In USD it is null where its currency has no rate by its day; nothing is nothing in every currency.
    `amount`: the column, of which the name ends in _usd.
#}
{% macro amount_in_usd(amount) -%}
    {%- set value = 'ranked.' ~ amount -%}
    coalesce(ranked.currency, 'USD') as currency,
        {{ value }} as {{ amount | replace('_usd', '_in_currency') }},
        case
            when coalesce(ranked.currency, 'USD') = 'USD' or {{ value }} = 0 then {{ value }}
            else try_cast({{ value }} * rates.usd_per_unit as decimal(18, 6))
        end as {{ amount }}
{%- endmacro %}
