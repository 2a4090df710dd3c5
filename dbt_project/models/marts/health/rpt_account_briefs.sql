-- Grain: one row per scored account, on the newest as-of date.
-- Sentences from evidence, one template each; one whose values are not known is left out, and nothing is guessed.
with

health as (

    select
        *,
        replace(case bucket when 'watch' then 'on watch' else bucket end, '_', ' ') as bucket_label,
        '$' || format('{:,}', cast(round(arr_usd) as bigint)) as arr,
        coalesce(delta_30d, delta_7d) as score_change,
        case when delta_30d is not null then '30 days' else '7 days' end as change_window
    from {{ ref('rpt_account_health') }}

),

-- the greatest step of the month that has a reason
steps as (

    select
        account_id,
        max_by(as_of_date, (abs(change), as_of_date)) as step_date,
        max_by(reasons, (abs(change), as_of_date)) as reasons
    from {{ ref('fct_score_changes') }}
    where
        as_of_date > {{ add_days(as_of_end(), -30) }}
        and change <> 0
        and reasons is not null
    group by account_id

),

facts as (

    select
        account_id,
        count(*) filter (where kind = 'ticket' and state = 'open') as open_tickets,
        count(*) filter (where kind = 'invoice' and state in ('open', 'uncollectible')) as unpaid_invoices,
        count(*) filter (where kind = 'milestone' and state = 'overdue') as overdue_milestones,
        max(cast(happened_at as date)) filter (
            where kind = 'touchpoint' and state <> 'automated'
        ) as last_touch_date,
        max_by(detail, (happened_at, fact_id)) filter (
            where kind = 'touchpoint' and state <> 'automated'
        ) as last_channel
    from {{ ref('rpt_account_facts') }}
    group by account_id

),

families as (

    select
        account_id,
        string_agg(lower(family_label), ', ' order by position) filter (where comparison = 'better') as better_in,
        string_agg(lower(family_label), ', ' order by position) filter (where comparison = 'worse') as worse_in
    from {{ ref('rpt_account_families') }}
    group by account_id

),

sentences as (

    select
        health.account_id,
        health.as_of_date,
        case
            when health.score_change is null then 'There is no earlier score to compare with.'
            when health.score_change = 0 then 'The score is what it was ' || health.change_window || ' ago.'
            else
                'The score ' || case when health.score_change > 0 then 'rose ' else 'fell ' end
                || {{ format_number('abs(health.score_change)') }}
                || case when abs(health.score_change) = 1 then ' point' else ' points' end
                || ' in ' || health.change_window
                || coalesce(
                    '; the greatest step was on ' || strftime(steps.step_date, '%-d %b')
                    || ': ' || rtrim(steps.reasons, '.'),
                    ''
                ) || '.'
        end as trend_sentence,
        coalesce(health.account_name, health.account_id) || ' is ' || health.bucket_label
        || ' with ' || {{ format_number('health.score') }} || ' of 100'
        || case
            when health.is_overridden then ', set by hand' || coalesce(': ' || rtrim(health.override_reason, '.'), '')
            else ''
        end
        || '.' as state_sentence,
        'What weighs most: ' || rtrim(health.reason_1 || coalesce('; ' || health.reason_2, ''), '.') || '.'
            as reason_sentence,
        rtrim(health.unknown_effect, '.') || '.' as unknown_sentence,
        case
            when health.days_to_renewal is null then 'It pays ' || health.arr || ' a year.'
            else
                coalesce(health.arr || ' a year', 'The contract') || ' renews '
                || case health.days_to_renewal
                    when 0 then 'today'
                    when 1 then 'tomorrow'
                    else 'in ' || health.days_to_renewal || ' days'
                end || '.'
        end as money_sentence,
        'The last time in touch was on ' || strftime(facts.last_touch_date, '%-d %b')
        || coalesce(', by ' || facts.last_channel, '') || '.' as touch_sentence,
        'Open: ' || nullif(concat_ws(
            ', ',
            case facts.open_tickets
                when 0 then null when 1 then '1 ticket' else facts.open_tickets || ' tickets'
            end,
            case facts.unpaid_invoices
                when 0 then null when 1 then '1 unpaid invoice' else facts.unpaid_invoices || ' unpaid invoices'
            end,
            case facts.overdue_milestones
                when 0 then null
                when 1 then '1 overdue milestone' else facts.overdue_milestones || ' overdue milestones'
            end
        ), '') || '.' as open_sentence,
        nullif(concat_ws(
            '; ',
            'better than similar accounts in ' || families.better_in,
            'worse than similar accounts in ' || families.worse_in
        ), '') as comparison_text,
        'Next: ' || rtrim(health.next_action, '.') || '.' as next_sentence
    from health
    left join steps
        on health.account_id = steps.account_id
    left join facts
        on health.account_id = facts.account_id
    left join families
        on health.account_id = families.account_id

),

final as (

    select
        account_id,
        as_of_date,
        trend_sentence,
        concat_ws(
            ' ',
            state_sentence,
            reason_sentence,
            unknown_sentence,
            money_sentence,
            touch_sentence,
            open_sentence,
            upper(left(comparison_text, 1)) || right(comparison_text, -1) || '.',
            next_sentence
        ) as brief
    from sentences

)

select * from final
