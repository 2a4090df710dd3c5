{# A bound of the 95 % interval of a rate by Wilson: `rate` of `accounts`; `side` is '-' for the lower, '+' for the upper. #}
{% macro wilson_bound(rate, accounts, side) -%}
    (
        ({{ rate }} + power({{ normal_quantile() }}, 2) / (2 * {{ accounts }}))
        {{ side }} {{ normal_quantile() }} * sqrt(
            {{ rate }} * (1 - {{ rate }}) / {{ accounts }}
            + power({{ normal_quantile() }} / (2 * {{ accounts }}), 2)
        )
    ) / (1 + power({{ normal_quantile() }}, 2) / {{ accounts }})
{%- endmacro %}
