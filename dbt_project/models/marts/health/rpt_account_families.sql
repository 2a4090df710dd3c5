-- Grain: one row per scored account and family of signals, on the newest as-of date.
-- Guarantees a row for each family in seeds/families.csv, also where nothing of it is known.
-- light: bad where a rule that reads the family costs points, caps the bucket or needs a person; unknown where its
-- number or such a rule is; watch where the number is worse than that of similar accounts; good; none without a number.
with

headlines as (

    select
        families.family,
        families.position,
        families.label as family_label,
        signals.signal,
        signals.label,
        signals.unit,
        case signals.direction when 'higher_is_better' then 1 when 'lower_is_better' then -1 end as better_side
    from {{ ref('families') }} as families
    inner join {{ ref('signals') }} as signals
        on families.signal = signals.signal

),

accounts as (

    select
        account_id,
        segment
    from {{ ref('rpt_account_health') }}

),

signal_states as (

    select * from {{ ref('int_signal_states') }}
    where as_of_date = {{ as_of_end() }}

),

courses as (

    select * from {{ ref('int_family_courses') }}

),

-- a rule is of the family whose signal its first condition reads
rules_of_families as (

    select
        evidence.account_id,
        signals.family,
        coalesce(bool_or(
            evidence.result = 'true'
            and (evidence.points < 0 or evidence.cap_bucket is not null or evidence.needs_review)
        ), false) as is_bad,
        bool_or(evidence.result = 'unknown') as is_unknown
    from {{ ref('fct_health_evidence') }} as evidence
    inner join {{ ref('signals') }} as signals
        on evidence.signal = signals.signal
    where evidence.as_of_date = {{ as_of_end() }}
    group by evidence.account_id, signals.family

),

numbers as (

    select
        accounts.account_id,
        accounts.segment,
        headlines.*,
        coalesce(courses.is_known, false) as is_known,
        courses.value,
        courses.value - courses.value_before as change,
        courses.weekly_values,
        coalesce(rules_of_families.is_bad, false) as is_bad,
        coalesce(rules_of_families.is_unknown, false) as is_rule_unknown
    from accounts
    cross join headlines
    left join courses
        on
            accounts.account_id = courses.account_id
            and headlines.signal = courses.signal
    left join rules_of_families
        on
            accounts.account_id = rules_of_families.account_id
            and headlines.family = rules_of_families.family

),

medians as (

    select
        segment,
        signal,
        median(value) as similar_value,
        count(value) as similar_accounts
    from numbers
    group by segment, signal
    having count(value) >= {{ setting('similar_least_accounts') }}

),

compared as (

    select
        numbers.*,
        medians.similar_value,
        medians.similar_accounts,
        sign(numbers.value - medians.similar_value) * numbers.better_side as side
    from numbers
    left join medians
        on
            numbers.segment is not distinct from medians.segment
            and numbers.signal = medians.signal

),

final as (

    select
        -- ids
        compared.account_id,
        {{ as_of_end() }} as as_of_date,
        compared.family,
        compared.position,
        compared.family_label,

        -- the number that speaks for the family
        compared.signal,
        compared.label,
        compared.unit,
        compared.is_known,
        cast(compared.value as double) as value,
        cast(compared.change as double) as change,
        {{ add_days(as_of_end(), '-7 * ' ~ setting('family_change_weeks')) }} as change_since,
        case sign(compared.change) * compared.better_side
            when 1 then 'better'
            when -1 then 'worse'
            when 0 then 'same'
        end as change_effect,
        compared.weekly_values,

        -- next to similar accounts: those of the segment
        cast(compared.similar_value as double) as similar_value,
        compared.similar_accounts,
        case compared.side when 1 then 'better' when -1 then 'worse' when 0 then 'same' end as comparison,

        case
            when compared.is_bad then 'bad'
            when not compared.is_known or compared.is_rule_unknown then 'unknown'
            when compared.value is null then 'none'
            when compared.side = -1 then 'watch'
            else 'good'
        end as light,

        -- where it comes from
        signal_states.observed_at,
        signal_states.unknown_because
    from compared
    left join signal_states
        on compared.signal = signal_states.signal

)

select * from final
