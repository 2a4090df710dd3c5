-- Grain: one row per owner: its newest version.
{{ newest_version(
    source('crm', 'owners'),
    key=['owner_id'],
    columns=[
        'owner_id',
        'name',
        'email',
        'slack_user_id',
        'booking_url',
        'is_active',
        'updated_at'
    ],
    version='updated_at'
) }}
