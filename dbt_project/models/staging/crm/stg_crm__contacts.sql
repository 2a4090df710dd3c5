-- Grain: one row per contact: its newest version.
{{ newest_version(
    source('crm', 'contacts'),
    key=['contact_id'],
    columns=[
        'contact_id',
        'account_id',
        'email',
        'full_name',
        'role',
        'is_active',
        'marketing_consent',
        'consent_updated_at',
        'language',
        'created_at',
        'updated_at'
    ],
    version='updated_at'
) }}
