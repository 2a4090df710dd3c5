{#
    Whether a play of the playbook has a holdout: accounts that do not get it, so that its effect can be measured. Plays
    that need a sign-off are calls to save a customer, and have one only where settings.holdout_save_calls forces it.
#}
{% macro has_holdout(playbook) -%}
    coalesce({{ playbook }}.holdout_pct > 0, false)
    and ({{ playbook }}.priority > {{ setting('sign_off_priority') }} or {{ setting('holdout_save_calls') }} = 1)
{%- endmacro %}
