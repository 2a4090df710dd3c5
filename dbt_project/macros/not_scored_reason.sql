{#
    Why an account of int_account_versions is not scored, with its row of int_subscription_states on that day (or
    none): excluded, left, or not a customer; null where it is scored.
#}
{% macro not_scored_reason(versions='versions', subscriptions='subscriptions') -%}
    case
            when {{ versions }}.excluded_because is not null then 'excluded'
            when {{ subscriptions }}.is_churned then 'left'
            when {{ versions }}.is_no_customer and coalesce({{ subscriptions }}.live_subscriptions, 0) = 0
                then 'not a customer'
        end
{%- endmacro %}
