-- Grain: one row per feed, column, source and id of digits alone (123, 00123, 123.0) that is known on the newest as-of
-- date, with plain_id, in which such spellings are the same. Of account ids of other feeds those for which rows wait,
-- of product/events the users of the last 30 days, and no ids of events.
-- ids_of: the feed that gives the ids; is_key: whether this is that feed. source: the system that has the ids, where
-- they are its own ids of accounts.
{% set feeds = [
    ('crm/contacts', ref('stg_crm__contacts'), true, {'contact_id': none}),
    ('crm/owners', ref('stg_crm__owners'), true, {'owner_id': none}),
    ('crm/touchpoints', ref('stg_crm__touchpoints'), false,
        {'touchpoint_id': none, 'contact_id': 'crm/contacts', 'owner_id': 'crm/owners'}),
    ('crm/milestones', ref('stg_crm__milestones'), true, {'milestone_id': none}),
    ('crm/goals', ref('stg_crm__goals'), false, {'goal_id': none}),
    ('crm/pulses', ref('stg_crm__pulses'), false, {'pulse_id': none, 'owner_id': 'crm/owners'}),
    ('crm/identities', ref('stg_crm__identities'), false, {'account_id': 'crm/accounts'}),
    ('billing/subscriptions', ref('stg_billing__subscriptions'), true, {'subscription_id': none}),
    ('billing/invoices', ref('stg_billing__invoices'), true,
        {'invoice_id': none, 'subscription_id': 'billing/subscriptions'}),
    ('billing/payments', ref('stg_billing__payments'), false, {'payment_id': none, 'invoice_id': 'billing/invoices'}),
    ('support/tickets', ref('stg_support__tickets'), true, {'ticket_id': none, 'contact_id': 'crm/contacts'}),
    ('comms/messages', ref('stg_comms__messages'), true,
        {'message_id': none, 'contact_id': 'crm/contacts', 'invoice_id': 'billing/invoices'}),
    ('feedback/surveys', ref('stg_feedback__surveys'), false, {'response_id': none, 'contact_id': 'crm/contacts'}),
    ('crm/accounts', 'accounts', false, {'account_id': none, 'owner_id': 'crm/owners', 'parent_account_id': 'crm/accounts'})
] -%}
with

accounts as (

    select * from {{ ref('int_account_versions') }}
    where
        {{ as_of_end() }} between valid_from_date and valid_to_date
        and not is_deleted

),

ids as (

    {% for feed, relation, has_deleted_date, columns in feeds %}
    {% for column, ids_of in columns.items() %}
    select
        '{{ feed }}' as feed,
        '{{ column }}' as column_name,
        '{{ ids_of or feed }}' as ids_of,
        {{ ids_of is none }} as is_key,
        null as source,
        {{ column }} as id,
        count(*) as id_rows
    from {{ relation }}
    where
        regexp_full_match({{ column }}, '[0-9]+([.]0+)?')
        {{ 'and ' ~ not_deleted_by(as_of_end()) if has_deleted_date }}
    group by {{ column }}
    union all
    {% endfor %}
    {% endfor %}
    select
        'product/events' as feed,
        'user_id' as column_name,
        'product/events' as ids_of,
        true as is_key,
        null as source,
        user_id as id,
        sum(events) as id_rows
    from {{ ref('int_user_days') }}
    where
        activity_date > {{ add_days(as_of_end(), -30) }}
        and regexp_full_match(user_id, '[0-9]+([.]0+)?')
    group by user_id
    union all
    select
        'crm/identities' as feed,
        'source_account_id' as column_name,
        'crm/accounts' as ids_of,
        true as is_key,
        lower(source) as source,
        source_account_id as id,
        count(*) as id_rows
    from {{ ref('stg_crm__identities') }}
    where regexp_full_match(source_account_id, '[0-9]+([.]0+)?')
    group by lower(source), source_account_id
    union all
    select
        feed,
        'account_id' as column_name,
        'crm/accounts' as ids_of,
        false as is_key,
        source,
        account_id as id,
        rows_waiting as id_rows
    from {{ source('quarantine', 'unresolved_ids') }}
    where regexp_full_match(account_id, '[0-9]+([.]0+)?')

),

final as (

    select
        *,
        regexp_extract(id, '^0*([0-9]+?)([.]0+)?$', 1) as plain_id
    from ids

)

select * from final
