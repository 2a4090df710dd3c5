-- Grain: one row per override that was made by the newest as-of date of this build, also of accounts that have left.
-- Who was right is reported once the outcome is known. A bucket is right of
--   churned      where it is at_risk
--   downgraded   where it is at_risk or watch
--   stayed       where it is healthy or watch
-- so that neither side can win by calling everything watch. The bucket of the model is the one recorded next to the
-- override on the first scored date on which it was in force.
with

overrides as (

    select
        override_id,
        account_id,
        bucket,
        reason,
        overridden_by,
        overridden_at,
        cast(overridden_at as date) as overridden_date,
        {{ override_expiry_date() }} as expiry_date
    from {{ ref('stg_crm__overrides') }}

),

outcomes as (

    select * from {{ ref('int_override_outcomes') }}

),

accounts as (

    select
        account_id,
        name
    from {{ ref('int_account_versions') }}
    where valid_to_date = date '9999-12-31'

),

recorded as (

    select
        overrides.override_id,
        history.owner_id,
        history.model_bucket,
        history.score,
        row_number() over (partition by overrides.override_id order by history.as_of_date) as date_rank
    from overrides
    inner join {{ ref('fct_health_history') }} as history
        on overrides.account_id = history.account_id
    where
        history.as_of_date >= overrides.overridden_date
        and history.as_of_date < overrides.expiry_date
        and history.as_of_date <= {{ as_of_end() }}

),

judged as (

    select
        overrides.override_id,
        overrides.account_id,
        accounts.name as account_name,
        recorded.owner_id,
        overrides.overridden_by,
        overrides.overridden_at,
        overrides.reason,
        overrides.expiry_date,
        recorded.model_bucket,
        recorded.score as model_score,
        overrides.bucket as override_bucket,
        outcomes.outcome,
        outcomes.outcome_date,
        outcomes.outcome_date_due,
        outcomes.not_known_because,
        {{ is_bucket_right('recorded.model_bucket', 'outcomes.outcome') }} as is_model_right,
        {{ is_bucket_right('overrides.bucket', 'outcomes.outcome') }} as is_person_right
    from overrides
    inner join outcomes
        on overrides.override_id = outcomes.override_id
    left join accounts
        on overrides.account_id = accounts.account_id
    left join recorded
        on
            overrides.override_id = recorded.override_id
            and recorded.date_rank = 1

),

final as (

    select
        override_id,
        account_id,
        account_name,
        owner_id,
        overridden_by,
        overridden_at,
        reason,
        expiry_date,
        model_bucket,
        model_score,
        override_bucket,
        outcome,
        outcome_date,
        outcome_date_due,
        not_known_because,
        case
            when outcome = 'not_known_yet' then 'open'
            when model_bucket is null then 'not_told'
            when is_person_right and is_model_right then 'both'
            when is_person_right then 'person'
            when is_model_right then 'model'
            else 'neither'
        end as who_was_right,
        {{ as_of_end() }} as as_of_date
    from judged

)

select * from final
