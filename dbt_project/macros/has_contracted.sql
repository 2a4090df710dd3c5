{# Whether MRR fell by more than settings.mrr_change_pct; null where either amount is unknown. #}
{% macro has_contracted(mrr_before, mrr_after) -%}
    100 * {{ mrr_after }} < (100 - {{ setting('mrr_change_pct') }}) * {{ mrr_before }}
{%- endmacro %}
