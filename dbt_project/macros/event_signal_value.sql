{#
    The value of a signal of `event_signals`. Where an account never had such an event, days count from the day on which
    it was created. Needs the CTEs `activity` and `accounts`.
#}
{% macro event_signal_value(signal) -%}
    {%- if signal['aggregate'] == 'days_since' -%}
        {{ days_between('coalesce(activity.' ~ signal['series'] ~ ', accounts.created_date)', 'accounts.as_of_date') }}
    {%- else -%}
        activity.{{ signal['signal'] }}
    {%- endif -%}
{%- endmacro %}
