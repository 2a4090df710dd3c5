-- Grain: one row per payment.
{{ newest_version(
    source('billing', 'payments'),
    key=['payment_id'],
    columns=[
        'payment_id',
        'invoice_id',
        'account_id',
        'amount_usd',
        'status',
        'failure_code',
        'attempted_at'
    ]
) }}
