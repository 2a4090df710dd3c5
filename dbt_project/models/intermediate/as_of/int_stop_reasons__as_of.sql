-- Grain: one row per told account and as_of_date on which not everything may be done without a person, and why.
-- is_blocked: nothing at all (the bucket is undecided, sources conflict, or what a rule needs is stale).
-- needs_person: a person looks first, for any of stop_reasons. Reads what was told, up to the day and never later.
with

told as (

    select history.*
    from {{ ref('fct_health_history') }} as history
    inner join {{ ref('int_told_runs') }} as runs
        on history.as_of_date = runs.as_of_date

),

moves as (

    select * from {{ ref('int_told_moves') }}

),

evidence as (

    select * from {{ ref('fct_health_evidence') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

renewals as (

    select
        account_id,
        as_of_date,
        days_to_renewal
    from {{ ref('sig_billing') }}
    where
        as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        and days_to_renewal <= {{ setting('renewal_near_days') }}

),

moves_near_renewal as (

    select
        moves.account_id,
        moves.as_of_date,
        'Renewal in ' || {{ format_number('renewals.days_to_renewal') }} || ' days, and the bucket changed from '
        || moves.bucket_before || ' to ' || moves.bucket as reason
    from moves
    inner join renewals
        on
            moves.account_id = renewals.account_id
            and moves.as_of_date = renewals.as_of_date
    where moves.bucket <> moves.bucket_before

),

steep_drops as (

    select
        account_id,
        as_of_date,
        best_score_7d - score as points
    from moves
    where best_score_7d - score >= {{ setting('steep_drop_points') }}

),

rules as (

    select rules.*
    from {{ ref('rules') }} as rules
    inner join {{ ref('rule_sets') }} as rule_sets
        on rules.rule_set = rule_sets.rule_set
    where rule_sets.status = 'champion'

),

conditions as (

    select
        rules.rule_id,
        rules.segment,
        signals.signal,
        signals.family,
        signals.feeds
    from rules
    inner join {{ ref('rule_conditions') }} as rule_conditions
        on
            rules.rule_set = rule_conditions.rule_set
            and rules.rule_id = rule_conditions.rule_id
            and rules.segment is not distinct from rule_conditions.segment
    inner join {{ ref('signals') }} as signals
        on rule_conditions.signal = signals.signal

),

-- the row of a rule that speaks for each segment: its own, else the general one
spoken as (

    select
        segments.segment as account_segment,
        rules.rule_id,
        max(rules.segment) as segment
    from (select distinct segment from told) as segments
    inner join rules
        on
            rules.segment is null
            or segments.segment = rules.segment
    group by segments.segment, rules.rule_id

),

stale_conditions as (

    select distinct
        spoken.account_segment,
        spoken.rule_id,
        feed_states.as_of_date,
        conditions.signal,
        feed_states.feed
    from {{ ref('int_feed_states') }} as feed_states
    inner join conditions
        on ' ' || conditions.feeds || ' ' like '% ' || feed_states.feed || ' %'
    inner join spoken
        on
            conditions.rule_id = spoken.rule_id
            and conditions.segment is not distinct from spoken.segment
    where feed_states.state = 'stale'

),

-- a cap of a rule that also asks for review is told by the title of the rule already
capping_rules as (

    select distinct
        spoken.account_segment,
        spoken.rule_id,
        rules.title
    from spoken
    inner join rules
        on
            spoken.rule_id = rules.rule_id
            and spoken.segment is not distinct from rules.segment
    inner join conditions
        on
            spoken.rule_id = conditions.rule_id
            and spoken.segment is not distinct from conditions.segment
    where
        conditions.family in ('relationship', 'value')
        and rules.bucket is not null
        and rules.effect <> 'review'
        and not coalesce(rules.needs_review, false)

),

stale_accounts as (

    select
        told.account_id,
        told.as_of_date,
        string_agg(distinct stale_conditions.signal, ', ' order by stale_conditions.signal) as signals,
        string_agg(distinct stale_conditions.feed, ', ' order by stale_conditions.feed) as feeds
    from told
    inner join evidence
        on
            told.account_id = evidence.account_id
            and told.as_of_date = evidence.as_of_date
    inner join stale_conditions
        on
            evidence.as_of_date = stale_conditions.as_of_date
            and evidence.rule_id = stale_conditions.rule_id
            and told.segment is not distinct from stale_conditions.account_segment
    group by told.account_id, told.as_of_date

),

capped_accounts as (

    select
        told.account_id,
        told.as_of_date,
        string_agg('Limited by: ' || capping_rules.title, '; ' order by evidence.rule_number) as reason
    from told
    inner join evidence
        on
            told.account_id = evidence.account_id
            and told.as_of_date = evidence.as_of_date
    inner join capping_rules
        on
            evidence.rule_id = capping_rules.rule_id
            and told.segment is not distinct from capping_rules.account_segment
    where evidence.result = 'true'
    group by told.account_id, told.as_of_date

),

reasons as (

    select
        told.account_id,
        told.as_of_date,
        case
            when told.decision <> 'decided' then told.decision
            when stale_accounts.account_id is not null then 'stale'
        end as blocked_by,
        nullif(concat_ws(
            '; ',
            case told.decision
                when 'conflict' then told.conflict_reason
                when 'undecided'
                    then 'The bucket hangs on what is not known: ' || {{ signals_in_words('told.unknown_signals') }}
            end,
            'Nothing new has come from ' || stale_accounts.feeds || ' for too long: '
            || {{ signals_in_words('stale_accounts.signals') }}
            || ' not known',
            case
                when told.arr_usd >= {{ setting('high_value_arr_usd') }}
                    then 'High value: ' || {{ format_number('told.arr_usd') }} || ' USD a year'
            end,
            moves_near_renewal.reason,
            case
                when steep_drops.account_id is not null
                    then
                        'The score fell ' || {{ format_number('steep_drops.points') }}
                        || ' points in the week to ' || cast(steep_drops.as_of_date as {{ dbt.type_string() }})
            end,
            capped_accounts.reason,
            told.review_rules
        ), '') as stop_reasons
    from told
    left join moves_near_renewal
        on
            told.account_id = moves_near_renewal.account_id
            and told.as_of_date = moves_near_renewal.as_of_date
    left join steep_drops
        on
            told.account_id = steep_drops.account_id
            and told.as_of_date = steep_drops.as_of_date
    left join stale_accounts
        on
            told.account_id = stale_accounts.account_id
            and told.as_of_date = stale_accounts.as_of_date
    left join capped_accounts
        on
            told.account_id = capped_accounts.account_id
            and told.as_of_date = capped_accounts.as_of_date
    -- told by what there is and not by the words, which would be put together for every row
    where
        told.decision <> 'decided'
        or told.arr_usd >= {{ setting('high_value_arr_usd') }}
        or told.review_rules is not null
        or moves_near_renewal.account_id is not null
        or steep_drops.account_id is not null
        or stale_accounts.account_id is not null
        or capped_accounts.account_id is not null

),

final as (

    select
        -- ids
        account_id,
        as_of_date,

        -- judgement
        blocked_by is not null as is_blocked,
        stop_reasons is not null as needs_person,
        blocked_by,
        stop_reasons
    from reasons

)

select * from final
