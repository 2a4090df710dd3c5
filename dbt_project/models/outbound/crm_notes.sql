-- Grain: one row per note for the CRM: an override that a person set or withdrew, and a note that a person wrote on an
-- account.
-- Guarantees that an override's note has from, to, reason, author and date. `from` is the bucket by the rules on the
-- newest scored date by then; a bucket of before the first scored date is not known, and left out.
with

overrides as (

    select
        *,
        cast(overridden_at as date) as overridden_date,
        {{ override_expiry_date() }} as expiry_date
    from {{ ref('stg_crm__overrides') }}

),

-- who decided, by name where it is an owner's id
owners as (

    select
        owner_id,
        nullif(trim(name), '') as owner_name
    from {{ ref('stg_crm__owners') }}

),

history as (

    select * from {{ ref('fct_health_history') }}

),

scored_overrides as (

    select
        overrides.override_id,
        overrides.account_id,
        overrides.bucket,
        overrides.reason,
        overrides.overridden_by,
        overrides.overridden_at,
        overrides.expiry_date,
        overrides.expiry_date <= overrides.overridden_date as is_withdrawal,
        max_by(history.model_bucket, history.as_of_date) as model_bucket
    from overrides
    left join history
        on
            overrides.account_id = history.account_id
            and overrides.overridden_date >= history.as_of_date
    where overrides.overridden_date <= {{ as_of_end() }}
    group by all

),

override_notes as (

    select
        'override-' || override_id as note_id,
        account_id,
        case
            when is_withdrawal then 'Override withdrawn: the bucket is by the rules again'
            else
                'Override' || coalesce(' from ' || replace(model_bucket, '_', ' '), '')
                || ' to ' || replace(bucket, '_', ' ') || ', until ' || strftime(expiry_date, '%-d %b %Y')
        end || '. Reason: ' || rtrim(reason, '. ') || '. By '
        || coalesce(owners.owner_name, overridden_by)
        || ' on ' || strftime(overridden_at, '%-d %b %Y') || '.' as note,
        overridden_by as written_by,
        overridden_at as written_at
    from scored_overrides
    left join owners
        on scored_overrides.overridden_by = owners.owner_id

),

written_notes as (

    select
        'note-' || reviews.review_id as note_id,
        reviews.account_id,
        reviews.reason || ' (' || coalesce(owners.owner_name, reviews.reviewed_by) || ', '
        || strftime(reviews.reviewed_at, '%-d %b %Y') || ')' as note,
        reviews.reviewed_by as written_by,
        reviews.reviewed_at as written_at
    from {{ ref('int_reviews') }} as reviews
    left join owners
        on reviews.reviewed_by = owners.owner_id
    where
        reviews.kind = 'note'
        and reviews.reason is not null

),

final as (

    select * from override_notes
    union all
    select * from written_notes

)

select * from final
