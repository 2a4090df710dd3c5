-- Grain: one row per payment. Its amount is converted by the rate of the day of the attempt.
{{ newest_version(
    source('billing', 'payments'),
    key=['payment_id'],
    columns=[
        'payment_id',
        'invoice_id',
        'account_id',
        'status',
        'failure_code',
        'attempted_at'
    ],
    amount='amount_usd',
    amount_at='attempted_at'
) }}
