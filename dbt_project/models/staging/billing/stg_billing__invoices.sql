-- Grain: one row per invoice: its newest version.
{{ newest_version(
    source('billing', 'invoices'),
    key=['invoice_id'],
    columns=[
        'invoice_id',
        'account_id',
        'subscription_id',
        'amount_usd',
        'status',
        'issued_at',
        'due_at',
        'paid_at',
        'updated_at'
    ],
    version='updated_at'
) }}
