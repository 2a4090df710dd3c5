-- Grain: one row per account, scored date of this build, play and reason that stops the play on this date. Without a
-- play it stops every play of the account.
-- is_suppressing: nothing may be done now. review_text: a person decides first, and reads it; null where nobody has to.
-- position is the order in which reasons are listed. Cooldown and budget are not here: they depend on releases.
with

reasons as (

    select
        account_id,
        as_of_date,
        null as play,
        reason,
        is_suppressing,
        review_text
    from {{ ref('int_account_stop_reasons') }}
    union all
    select
        account_id,
        as_of_date,
        play,
        reason,
        true as is_suppressing,
        null as review_text
    from {{ ref('int_play_stop_reasons') }}

),

positions as (

    select
        listed.position,
        listed.reason
    from (
        values
        (1, 'conflict'),
        (2, 'undecided'),
        (3, 'stale'),
        (4, 'flood'),
        (5, 'hysteresis'),
        (6, 'quiet_mode'),
        (7, 'contact_unknown'),
        (8, 'no_consent'),
        (9, 'consent_unknown'),
        (10, 'high_value'),
        (11, 'renewal_near'),
        (12, 'steep_drop'),
        (13, 'value_cap'),
        (14, 'review_rule')
    ) as listed (position, reason)

),

final as (

    select
        -- ids
        reasons.account_id,
        reasons.as_of_date,
        reasons.play,

        -- reason
        positions.position,
        reasons.reason,
        reasons.is_suppressing,
        reasons.review_text
    from reasons
    inner join positions
        on reasons.reason = positions.reason

)

select * from final
