-- Grain: one row per pulse.
{{ newest_version(
    source('crm', 'pulses'),
    key=['pulse_id'],
    columns=[
        'pulse_id',
        'account_id',
        'owner_id',
        'sentiment',
        'note',
        'recorded_at'
    ]
) }}
