-- Grain: one row per account and as_of_date with a live override: the latest by then, if it has not expired.
with

dates as (

    select * from {{ ref('int_as_of_dates') }}

),

overrides as (

    select
        *,
        cast(overridden_at as date) as overridden_date,
        {{ override_expiry_date() }} as expiry_date
    from {{ ref('stg_crm__overrides') }}

),

ranked as (

    select
        overrides.account_id,
        dates.as_of_date,
        overrides.override_id,
        overrides.bucket,
        overrides.reason,
        overrides.overridden_by,
        overrides.overridden_at,
        overrides.expiry_date,
        row_number() over (
            partition by overrides.account_id, dates.as_of_date
            order by overrides.overridden_at desc, overrides.override_id desc
        ) as override_rank
    from dates
    inner join overrides
        on dates.as_of_date >= overrides.overridden_date

),

final as (

    select
        account_id,
        as_of_date,
        override_id,
        bucket,
        reason,
        overridden_by,
        overridden_at,
        expiry_date
    from ranked
    where
        override_rank = 1
        and as_of_date < expiry_date

)

select * from final
