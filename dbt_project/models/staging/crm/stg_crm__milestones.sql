-- Grain: one row per milestone: its newest version.
{{ newest_version(
    source('crm', 'milestones'),
    key=['milestone_id'],
    columns=[
        'milestone_id',
        'account_id',
        'name',
        'due_date',
        'completed_at',
        'updated_at'
    ],
    version='updated_at'
) }}
