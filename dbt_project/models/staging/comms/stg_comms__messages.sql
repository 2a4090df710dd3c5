-- Grain: one row per message: its newest version.
{{ newest_version(
    source('comms', 'messages'),
    key=['message_id'],
    columns=[
        'message_id',
        'account_id',
        'contact_id',
        'kind',
        'invoice_id',
        'sent_at',
        'opened_at',
        'clicked_at',
        'unsubscribed_at',
        'updated_at'
    ],
    version='updated_at'
) }}
