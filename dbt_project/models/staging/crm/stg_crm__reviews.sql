-- Grain: one row per review: a person's newest verdict.
{{ newest_version(
    source('crm', 'reviews'),
    key=['review_id'],
    columns=[
        'review_id',
        'account_id',
        'as_of_date',
        'kind',
        'verdict',
        'bucket',
        'action_id',
        'reason',
        'until_date',
        'owner_id',
        'edited_subject',
        'edited_text',
        'draft_text',
        'reviewed_by',
        'reviewed_at',
        'updated_at'
    ],
    version='updated_at'
) }}
