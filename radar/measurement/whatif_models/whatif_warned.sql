-- Grain: one row per side (before: as recorded, after: the rules that are asked about): of the churns of paying accounts
-- that were scored in the week up to settings.whatif_warned_days before they left, how many were below healthy then.
with

churns as (

    select
        account_id,
        {{ add_days('outcome_date', "-1 * " ~ setting('whatif_warned_days')) }} as warned_date
    from {{ ref('fct_outcomes') }}
    where
        outcome = 'churn'
        and was_paying

),

looked_at as (

    select
        churns.account_id,
        churns.warned_date,
        arg_max(recorded.bucket, recorded.as_of_date) as bucket_before,
        arg_max(candidate.bucket, candidate.as_of_date) as bucket_after
    from churns
    inner join {{ ref('int_measured_scores') }} as recorded
        on
            churns.account_id = recorded.account_id
            and recorded.as_of_date between {{ add_days('churns.warned_date', -6) }} and churns.warned_date
    inner join {{ ref('candidate_scores') }} as candidate
        on
            recorded.account_id = candidate.account_id
            and recorded.as_of_date = candidate.as_of_date
    group by churns.account_id, churns.warned_date

),

sides as (

    select
        'before' as side,
        bucket_before as bucket
    from looked_at
    union all
    select
        'after' as side,
        bucket_after as bucket
    from looked_at

),

final as (

    select
        side,
        count(*) as churns,
        count(*) filter (where bucket <> 'healthy') as warned
    from sides
    group by side

)

select * from final
