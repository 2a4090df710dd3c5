-- Grain: one row per kind and verdict of what a person did for an account: the state that the account has from then
-- on. An act that names a day to come makes the account wait for it, whatever the row has.
-- The panel reads it for what no run has read yet, so that an account has the same state before and after the run.
with

final as (

    select
        states.kind,
        states.verdict,
        states.state
    from (
        values
        ('sign_off', 'agree', 'done'),
        ('sign_off', 'disagree', 'done'),
        ('override', '', 'done'),
        ('outcome', 'right', 'done'),
        ('outcome', 'too_early', 'done'),
        ('outcome', 'wrong', 'done'),
        ('action', 'done', 'done'),
        ('action', 'approved', 'working'),
        ('action', 'dropped', 'working'),
        ('action', 'not_now', 'waiting'),
        ('call', 'reached', 'working'),
        ('call', 'no_answer', 'working'),
        ('call', 'meeting_booked', 'waiting'),
        ('cover', 'asked', 'waiting')
    ) as states (kind, verdict, state)

)

select * from final
