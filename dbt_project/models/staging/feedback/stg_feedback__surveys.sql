-- Grain: one row per survey response.
{{ newest_version(
    source('feedback', 'surveys'),
    key=['response_id'],
    columns=[
        'response_id',
        'account_id',
        'contact_id',
        'kind',
        'score',
        'comment',
        'responded_at'
    ]
) }}
