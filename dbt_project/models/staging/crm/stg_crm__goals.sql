-- Grain: one row per goal.
{{ newest_version(
    source('crm', 'goals'),
    key=['goal_id'],
    columns=[
        'goal_id',
        'account_id',
        'signal',
        'target',
        'valid_from',
        'valid_to'
    ]
) }}
