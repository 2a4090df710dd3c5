-- Grain: one row per invoice: its newest version. Its amount is converted by the rate of the day of issue.
{{ newest_version(
    source('billing', 'invoices'),
    key=['invoice_id'],
    columns=[
        'invoice_id',
        'account_id',
        'subscription_id',
        'status',
        'issued_at',
        'due_at',
        'paid_at',
        'updated_at'
    ],
    version='updated_at',
    amount='amount_usd',
    amount_at='issued_at'
) }}
