-- Grain: one row per account that is scored on the newest as-of date of the last build.
with

history as (

    select * from {{ ref('fct_health_history') }}

),

today as (

    select * from history
    where as_of_date = {{ as_of_end() }}

),

week_before as (

    select
        account_id,
        score
    from history
    where as_of_date = {{ add_days(as_of_end(), -7) }}

),

month_before as (

    select
        account_id,
        score
    from history
    where as_of_date = {{ add_days(as_of_end(), -30) }}

),

-- where the bucket reads a median, so does the trend: the last smoothing_days days against the trend_days before them
medians as (

    select
        history.account_id,
        median(history.score) filter (
            where history.as_of_date > {{ add_days(as_of_end(), '-1 * rule_sets.smoothing_days') }}
        ) - median(history.score) filter (
            where history.as_of_date <= {{ add_days(as_of_end(), '-1 * rule_sets.smoothing_days') }}
        ) as score_change
    from history
    inner join {{ ref('rule_sets') }} as rule_sets
        on history.rule_set = rule_sets.rule_set
    where
        rule_sets.smoothing_days > 1
        and history.as_of_date
        > {{ add_days(as_of_end(), '-1 * rule_sets.smoothing_days - ' ~ setting('trend_days')) }}
        and history.as_of_date <= {{ as_of_end() }}
    group by history.account_id

),

changes as (

    select
        today.account_id,
        today.score - week_before.score as delta_7d,
        today.score - month_before.score as delta_30d,
        coalesce(medians.score_change, delta_7d, delta_30d) as score_change
    from today
    left join medians
        on today.account_id = medians.account_id
    left join week_before
        on today.account_id = week_before.account_id
    left join month_before
        on today.account_id = month_before.account_id

),

accounts as (

    select * from {{ ref('int_accounts__as_of') }}
    where as_of_date = {{ as_of_end() }}

),

names as (

    select
        account_id,
        name as account_name,
        owner_name
    from {{ ref('int_account_versions') }}
    where {{ as_of_end() }} between valid_from_date and valid_to_date

),

urls as (

    select
        account_id,
        url
    from {{ ref('int_account_urls') }}
    where object = 'account'

),

renewals as (

    select
        account_id,
        days_to_renewal
    from {{ ref('sig_billing') }}
    where as_of_date = {{ as_of_end() }}

),

reasons as (

    select * from {{ ref('int_account_reasons') }}

),

reviews as (

    select
        account_id,
        string_agg(review_text, '; ' order by position) as review_reason
    from {{ ref('int_account_stop_reasons') }}
    where
        as_of_date = {{ as_of_end() }}
        and review_text is not null
    group by account_id

),

unknowns as (

    select * from {{ ref('int_unknown_inputs') }}

),

-- the sentence of what is not known: what it could make of score and bucket
unknown_effects as (

    select
        today.account_id,
        'Not known: ' || unknowns.unknown_labels || '; '
        || case
            when today.score_low = today.score_high and today.bucket_low = today.bucket_high
                then 'neither the score nor the bucket hangs on it'
            else concat_ws(
                ', ',
                case
                    when today.score_low <> today.score_high
                        then
                            'the score could be between ' || {{ format_number('today.score_low') }}
                            || ' and ' || {{ format_number('today.score_high') }}
                end,
                case
                    when today.bucket_low <> today.bucket_high
                        then
                            'the bucket between ' || replace(today.bucket_low, '_', ' ')
                            || ' and ' || replace(today.bucket_high, '_', ' ')
                    else 'the bucket stays ' || replace(today.model_bucket, '_', ' ')
                end
            )
        end as unknown_effect
    from today
    inner join unknowns
        on today.account_id = unknowns.account_id

),

flags as (

    select * from {{ ref('fct_account_flags') }}
    where as_of_date = {{ as_of_end() }}

),

plays as (

    select
        today.account_id,
        min_by(playbook.next_action, playbook.priority) as next_action,
        min_by(coalesce(playbook.flag, ''), playbook.priority) as flag
    from today
    inner join {{ ref('playbook') }} as playbook
        on {{ play_fits('playbook', 'today') }}
    group by today.account_id

),

final as (

    select
        -- account
        today.account_id,
        names.account_name,
        today.owner_id,
        names.owner_name,
        urls.url as account_url,
        today.segment,
        coalesce(accounts.billing_plan_id, accounts.crm_plan_id) as plan_id,
        today.arr_usd,
        accounts.has_live_subscription,
        today.as_of_date,

        -- score
        today.score,
        today.score_low,
        today.score_high,
        today.model_bucket,
        today.bucket_low,
        today.bucket_high,
        today.bucket,
        today.decision,
        today.is_overridden,
        today.override_reason,

        -- trend
        changes.delta_7d,
        changes.delta_30d,
        case
            when changes.score_change is null then 'new'
            when changes.score_change >= {{ setting('trend_points') }} then 'improving'
            when changes.score_change <= -1 * {{ setting('trend_points') }} then 'declining'
            else 'steady'
        end as trend,

        -- why
        reasons.reason_1,
        reasons.reason_2,
        reasons.reason_3,
        reasons.reason_4,
        reasons.reason_rules,
        today.flags,
        today.unknown_signals,
        unknown_effects.unknown_effect,
        unknowns.inputs_to_fetch,

        -- what next
        case today.decision
            when 'conflict' then 'Settle the sources first: ' || today.conflict_reason
            when 'undecided' then 'Find out first: ' || unknowns.inputs_to_fetch
            else plays.next_action
        end as next_action,
        case
            when today.decision = 'conflict' then 'Sources contradict each other'
            when today.decision = 'undecided' then unknown_effects.unknown_effect
            when plays.flag <> '' then 'Flag ' || replace(plays.flag, '_', ' ') || ': ' || flags.evidence
            when today.is_overridden
                then 'Set to ' || replace(today.bucket, '_', ' ') || ' by hand: ' || today.override_reason
            else 'Bucket ' || replace(today.bucket, '_', ' ') || coalesce(': ' || reasons.reason_1, ': no rule held')
        end as next_action_reason,
        renewals.days_to_renewal,
        reviews.account_id is not null as needs_review,
        reviews.review_reason,

        -- how sure
        today.coverage_pct,
        today.rule_set,
        today.rule_version
    from today
    inner join accounts
        on today.account_id = accounts.account_id
    inner join names
        on today.account_id = names.account_id
    inner join changes
        on today.account_id = changes.account_id
    left join urls
        on today.account_id = urls.account_id
    left join renewals
        on today.account_id = renewals.account_id
    left join reasons
        on today.account_id = reasons.account_id
    left join reviews
        on today.account_id = reviews.account_id
    left join unknowns
        on today.account_id = unknowns.account_id
    left join unknown_effects
        on today.account_id = unknown_effects.account_id
    left join plays
        on today.account_id = plays.account_id
    left join flags
        on
            today.account_id = flags.account_id
            and plays.flag = flags.flag

)

select * from final
