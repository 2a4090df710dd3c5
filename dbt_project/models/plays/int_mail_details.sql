-- Grain: one row per account with a mail_draft that is open on the newest as-of date: the language of its mails, and
-- what they may tell it of its own use in the 30 days to that date, with the names that customers read.
-- A number of 0 is none: nobody writes it to a customer. Where product/events is not known, no number is.
with

actions as (

    select distinct
        account_id,
        owner_id,
        as_of_date
    from {{ ref('fct_actions') }}
    where
        as_of_date = {{ as_of_end() }}
        and channel = 'mail_draft'
        and status in ('ready', 'to_approve')

),

details as (

    select
        actions.account_id,
        actions.as_of_date,
        contacts.language,
        case when starts_with(trim(owners.booking_url), 'https://') then trim(owners.booking_url) end as booking_url,
        nullif(usage.active_users_30d, 0) as active_people,
        nullif(usage.active_days_30d, 0) as active_days,
        nullif(usage.logins_30d, 0) as logins
    from actions
    left join {{ ref('int_mail_contacts') }} as contacts
        on actions.account_id = contacts.account_id
    left join {{ ref('stg_crm__owners') }} as owners
        on actions.owner_id = owners.owner_id
    left join {{ ref('sig_usage') }} as usage
        on
            actions.account_id = usage.account_id
            and actions.as_of_date = usage.as_of_date

),

features as (

    select
        details.account_id,
        meanings.product_event,
        cast(sum(user_days.events) as bigint) as uses,
        count(*) over (partition by details.account_id) as features,
        row_number() over (
            partition by details.account_id
            order by sum(user_days.events) desc, meanings.product_event asc
        ) as feature_rank
    from details
    inner join {{ ref('int_counted_user_days') }} as user_days
        on
            details.account_id = user_days.account_id
            and user_days.activity_date between details.as_of_date - 29 and details.as_of_date
    inner join {{ ref('int_event_meanings') }} as meanings
        on
            user_days.event_name = meanings.event_name
            and list_contains(meanings.measures, 'key_feature')
    where details.active_days is not null
    group by details.account_id, meanings.product_event

),

top_features as (

    select * from features
    where feature_rank = 1

),

-- of two labels that of the longer language goes first: pt-br, pt, any
names as (

    select
        details.account_id,
        labels.kind,
        labels.label,
        row_number() over (
            partition by details.account_id, labels.kind
            order by length(labels.language) desc nulls last
        ) as label_rank
    from details
    left join top_features
        on details.account_id = top_features.account_id
    inner join {{ ref('labels') }} as labels
        on
            (labels.kind = 'product' or (labels.kind = 'feature' and top_features.product_event = labels.value))
            and (
                labels.language is null
                or lower(labels.language) in (details.language, split_part(details.language, '-', 1))
            )

),

final as (

    select
        details.account_id,
        details.language,
        products.label as product_name,
        details.booking_url,
        details.active_people,
        details.active_days,
        details.logins,
        top_features.features,
        feature_names.label as top_feature,
        top_features.uses as top_feature_uses,
        details.as_of_date - 29 as first_day,
        details.as_of_date as last_day
    from details
    left join top_features
        on details.account_id = top_features.account_id
    left join names as products
        on
            details.account_id = products.account_id
            and products.kind = 'product'
            and products.label_rank = 1
    left join names as feature_names
        on
            details.account_id = feature_names.account_id
            and feature_names.kind = 'feature'
            and feature_names.label_rank = 1

)

select * from final
