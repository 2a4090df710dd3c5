-- Grain: one row per play that has a holdout. Never one that needs a sign-off, a call to save a customer, unless the
-- setting holdout_save_calls forces it.
with

final as (

    select
        play,
        holdout_pct
    from {{ ref('playbook') }}
    where
        holdout_pct > 0
        and (priority > {{ setting('sign_off_priority') }} or {{ setting('holdout_save_calls') }} = 1)

)

select * from final
