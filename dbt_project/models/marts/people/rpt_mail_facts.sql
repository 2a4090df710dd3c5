-- Grain: one row per account with a mail_draft that is open and not suppressed: what its mails are written from, but
-- for the contact: the published copy knows no more than whether there is one (has_contact) with a name (has_name).
-- A view, read by deliveries and by the panel: whoever reads a draft there reads what goes out.
with

accounts as (

    select distinct account_id
    from {{ ref('rpt_open_actions') }}
    where
        channel = 'mail_draft'
        and status <> 'suppressed'

),

health as (

    select * from {{ ref('rpt_account_health') }}

),

contacts as (

    select
        account_id,
        has_name
    from {{ ref('int_mail_contacts') }}

),

details as (

    select * from {{ ref('int_mail_details') }}

),

-- a window of seven days for each scored date, oldest first
activity as (

    select
        account_id,
        list(active_days_7d order by as_of_date) as activity
    from {{ ref('sig_usage') }}
    where
        account_id in (select accounts.account_id from accounts)
        and as_of_date > {{ add_days(as_of_end(), '-1 * ' ~ setting('mail_activity_days')) }}
        and as_of_date <= {{ as_of_end() }}
        and active_days_7d is not null
    group by account_id

),

fired as (

    select
        account_id,
        rule_set,
        rule_id,
        rule_number,
        points
    from {{ ref('fct_health_evidence') }}
    where
        account_id in (select accounts.account_id from accounts)
        and as_of_date = {{ as_of_end() }}
        and result = 'true'

),

rules as (

    select
        account_id,
        list(rule_id order by points, rule_number) as rules
    from fired
    group by account_id

),

-- what the rules that fired offer to a customer; a segment's row without text uses the general one
guidance as (

    select
        fired.account_id,
        rules.guidance,
        row_number() over (
            partition by fired.account_id
            order by fired.rule_number, rules.segment nulls last
        ) as guidance_rank
    from fired
    inner join {{ ref('rules') }} as rules
        on
            fired.rule_set = rules.rule_set
            and fired.rule_id = rules.rule_id
    left join health
        on fired.account_id = health.account_id
    where
        nullif(trim(rules.guidance), '') is not null
        and (rules.segment is null or rules.segment = health.segment)

),

final as (

    select
        accounts.account_id,
        coalesce(health.account_name, accounts.account_id) as account_name,
        nullif(trim(health.owner_name), '') as owner_name,
        contacts.account_id is not null as has_contact,
        coalesce(contacts.has_name, false) as has_name,
        coalesce(activity.activity, []) as activity,
        coalesce(rules.rules, []) as rules,
        guidance.guidance,

        -- the language, names and numbers of the mail
        details.language,
        details.product_name,
        details.booking_url,
        details.active_people,
        details.active_days,
        details.logins,
        details.features,
        details.top_feature,
        details.top_feature_uses,
        details.first_day,
        details.last_day
    from accounts
    left join health
        on accounts.account_id = health.account_id
    left join contacts
        on accounts.account_id = contacts.account_id
    left join details
        on accounts.account_id = details.account_id
    left join activity
        on accounts.account_id = activity.account_id
    left join rules
        on accounts.account_id = rules.account_id
    left join guidance
        on
            accounts.account_id = guidance.account_id
            and guidance.guidance_rank = 1

)

select * from final
