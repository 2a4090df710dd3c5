-- Grain: one row per touchpoint.
{{ newest_version(
    source('crm', 'touchpoints'),
    key=['touchpoint_id'],
    columns=[
        'touchpoint_id',
        'account_id',
        'contact_id',
        'owner_id',
        'channel',
        'direction',
        'is_automated',
        'occurred_at'
    ]
) }}
