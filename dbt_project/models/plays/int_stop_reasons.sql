-- Grain: one row per account, scored date of this build, play and reason that stops the play on this date. Without a
-- play it stops every play of the account.
-- is_suppressing: nothing may be done now. review_text: a person decides first, and reads it; null where nobody has to.
-- position is the order in which reasons are listed. Cooldown and budget are not here: they depend on releases.
with

final as (

    select
        account_id,
        as_of_date,
        null as play,
        position,
        reason,
        is_suppressing,
        review_text
    from {{ ref('int_account_stop_reasons') }}
    union all
    select
        account_id,
        as_of_date,
        play,
        position,
        reason,
        true as is_suppressing,
        null as review_text
    from {{ ref('int_play_stop_reasons') }}

)

select * from final
