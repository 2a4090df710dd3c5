{#
    Where words of a company's systems are given a meaning: the feed that brings them, what a word of ours is called
    in a sentence, where people map the words, and the signals that mean nothing while no word has been recognised.
    Statuses, kinds, channels and directions are not here: a row with such a word unknown is refused, and a feed
    that refuses more than a fifth of its rows is blocked.
#}
{% macro vocabularies() %}
    {%- do return([
        {
            'vocabulary': 'login', 'feed': 'product/events', 'seed': 'product_events', 'mark': 'is_login',
            'signals': ['days_since_login', 'logins_7d', 'logins_30d'],
        },
        {
            'vocabulary': 'key_feature', 'feed': 'product/events', 'seed': 'product_events', 'mark': 'is_key_feature',
            'signals': ['days_since_key_feature', 'key_features_used_90d'],
        },
        {
            'vocabulary': 'premium', 'feed': 'product/events', 'seed': 'product_events', 'mark': 'is_premium',
            'signals': ['premium_usage_14d_pct'],
        },
        {
            'vocabulary': 'advanced', 'feed': 'product/events', 'seed': 'product_events', 'mark': 'is_advanced',
            'signals': ['advanced_events_30d'],
        },
        {
            'vocabulary': 'milestone', 'feed': 'product/events', 'seed': 'product_events',
            'mark': 'milestone is not null', 'signals': ['adoption_milestones'],
        },
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
