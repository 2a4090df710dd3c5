{#
    Joins to the CTE `ranked` the rate that was in force on the day of an amount: the last one of its currency that began
    on or before it. `day_of`: the column of `ranked` that has the time of the amount.
#}
{% macro join_rate(day_of) -%}
    asof left join {{ ref('stg_finance__fx_rates') }} as rates
        on
            ranked.currency = rates.currency
            and cast(ranked.{{ day_of }} as date) >= rates.valid_from
{%- endmacro %}
