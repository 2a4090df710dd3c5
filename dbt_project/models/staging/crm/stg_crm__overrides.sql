-- Grain: one row per override.
{{ newest_version(
    source('crm', 'overrides'),
    key=['override_id'],
    columns=[
        'override_id',
        'account_id',
        'bucket',
        'reason',
        'overridden_by',
        'overridden_at',
        'expires_at'
    ]
) }}
