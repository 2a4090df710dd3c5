-- Grain: one row per review that was given by the newest as-of date of this build, of a day until then.
with

reviews as (

    select * from {{ ref('stg_crm__reviews') }}

),

final as (

    select
        review_id,
        account_id,
        as_of_date,
        kind,
        verdict,
        bucket,
        action_id,
        reason,
        until_date,
        owner_id,
        edited_subject,
        edited_text,
        reviewed_by,
        reviewed_at
    from reviews
    where
        as_of_date <= {{ as_of_end() }}
        and cast(reviewed_at as date) <= {{ as_of_end() }}
        and {{ not_deleted_by(as_of_end()) }}

)

select * from final
