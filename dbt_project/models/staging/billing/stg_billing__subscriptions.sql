-- Grain: one row per subscription and updated_at: the state from then on, or that it is deleted from then on.
{{ newest_version(
    source('billing', 'subscriptions'),
    key=['subscription_id', 'updated_at'],
    columns=[
        'subscription_id',
        'account_id',
        'plan_id',
        'status',
        'seats',
        'mrr_usd',
        'started_at',
        'current_period_end',
        'cancel_at_period_end',
        'canceled_at',
        'card_expires_on',
        'updated_at'
    ],
    version='updated_at'
) }}
