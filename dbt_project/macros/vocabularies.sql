{#
    Where words of a company's systems are given a meaning: the feed that brings them, what a word of ours is called
    in a sentence, where people map the words, and the signals that mean nothing while no word has been recognised.
    Each measure of seeds/signals.csv is one: the event names that count for it.
    Statuses, kinds, channels and directions are not here: a row with such a word unknown is refused, and a feed
    that refuses more than a fifth of its rows is blocked.
#}
{% macro vocabularies() %}
    {%- set signals = {} -%}
    {%- for signal in event_signals() if signal['measure'] != 'any' -%}
        {%- do signals.setdefault(signal['measure'], []).append(signal['signal']) -%}
    {%- endfor -%}
    {%- set measures = [] -%}
    {%- for measure in signals -%}
        {%- do measures.append({
            'vocabulary': measure, 'feed': 'product/events', 'seed': 'product_events', 'mark': is_of_measure(measure),
            'signals': signals[measure],
        }) -%}
    {%- endfor -%}
    {%- do return(measures + [
        {
            'vocabulary': 'plan', 'feed': 'billing/subscriptions', 'seed': 'plans',
            'signals': ['is_paid_plan'],
        },
        {
            'vocabulary': 'ticket_status', 'feed': 'support/tickets', 'seed': 'ticket_statuses',
            'signals': [
                'open_tickets', 'open_urgent_tickets', 'fast_resolutions_30d', 'median_resolution_90d_hours'
            ],
        },
        {
            'vocabulary': 'ticket_priority', 'feed': 'support/tickets', 'seed': none,
            'signals': ['open_urgent_tickets'],
        },
        {
            'vocabulary': 'contact_role', 'feed': 'crm/contacts', 'seed': none,
            'signals': ['has_active_champion'],
        },
    ]) -%}
{% endmacro %}
