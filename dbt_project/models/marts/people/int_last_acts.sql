-- Grain: one row per account for which a person did something that counts as work: the last of it.
-- seen_date: the scored date that the person looked at. until_date: the day for which the account waits from then on.
with

acts as (

    select
        review_id as act_id,
        account_id,
        kind,
        verdict,
        reason,
        until_date,
        as_of_date as seen_date,
        reviewed_by as acted_by,
        reviewed_at as acted_at
    from {{ ref('int_reviews') }}
    union all
    select
        override_id as act_id,
        account_id,
        'override' as kind,
        '' as verdict,
        reason,
        cast(null as date) as until_date,
        cast(overridden_at as date) as seen_date,
        overridden_by as acted_by,
        overridden_at as acted_at
    from {{ ref('stg_crm__overrides') }}
    where
        cast(overridden_at as date) <= {{ as_of_end() }}
        -- over as it was made: an override that somebody withdrew
        and expires_at is distinct from overridden_at

),

ranked as (

    select
        acts.*,
        states.state,
        row_number() over (
            partition by acts.account_id
            order by acts.acted_at desc, acts.act_id desc
        ) as act_rank
    from acts
    inner join {{ ref('rpt_work_states') }} as states
        on
            acts.kind = states.kind
            and acts.verdict = states.verdict

),

final as (

    select
        account_id,
        act_id,
        kind,
        verdict,
        reason,
        seen_date,
        acted_by,
        acted_at,
        case when kind <> 'override' then until_date end as until_date,
        case when until_date > seen_date then 'waiting' else state end as state
    from ranked
    where act_rank = 1

)

select * from final
