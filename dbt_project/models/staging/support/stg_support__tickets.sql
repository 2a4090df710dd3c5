-- Grain: one row per ticket: its newest version.
{{ newest_version(
    source('support', 'tickets'),
    key=['ticket_id'],
    columns=[
        'ticket_id',
        'account_id',
        'contact_id',
        'status',
        'priority',
        'sentiment',
        'subject',
        'body',
        'opened_at',
        'first_response_at',
        'resolved_at',
        'updated_at'
    ],
    version='updated_at'
) }}
