-- Grain: one row per subscription and updated_at: the state from then on, or that it is deleted from then on.
-- Its amount is converted by the rate of the day it started, in every version: rates that move change no revenue.
{{ newest_version(
    source('billing', 'subscriptions'),
    key=['subscription_id', 'updated_at'],
    columns=[
        'subscription_id',
        'account_id',
        'plan_id',
        'status',
        'seats',
        'started_at',
        'current_period_end',
        'cancel_at_period_end',
        'canceled_at',
        'card_expires_on',
        'updated_at'
    ],
    version='updated_at',
    amount='mrr_usd',
    amount_at='started_at'
) }}
