{#
    Scores from what rules found: one row per scored account, as_of_date and rule set of the list `rule_sets` (as
    scoring_rule_sets gives them). `rule_results` is a relation with the columns of fct_rule_results; only rows that fire or are unknown count. The one place where scores are made:
    score = base + points, clamped to 0 to 100; score_low and score_high are what unknown rules and weights could still
    make of it, and the bucket is no better than the caps allow. Where a rule set has smoothing_days, the bucket reads the
    median of the account's scores on so many of the last scored dates. `dates` keeps only these of what is scored (a
    condition on as_of_date); `recorded` is a query of scores of dates before them. Without `dates` it is a view: what it
    reads twice is not materialized then, so that a question about a day or an account reads no others.
#}
{% macro health_scores(rule_results, rule_sets, dates='true', recorded=none) %}
{%- set smoothed = rule_sets | selectattr('smoothing_days') | list -%}
{%- set read = 'bucket_score' if smoothed else 'total' -%}
{%- set as_is = 'not materialized ' if smoothed and dates == 'true' -%}
with

accounts as {{ as_is }}(

    select * from {{ ref('int_scored_accounts') }}
    where {{ dates }}

),

rule_sets (rule_set, rule_set_status, rule_version, base_score, watch_from, healthy_from, smoothing_days) as (

    values
    {%- for rule_set in rule_sets %}
    (
        {{ quoted(rule_set['rule_set']) }}, {{ quoted(rule_set['status']) }}, {{ quoted(rule_set['version']) }},
        {{ literal(rule_set['base_score']) }}, {{ literal(rule_set['watch_from']) }}, {{ literal(rule_set['healthy_from']) }},
        {{ literal(rule_set['smoothing_days'] or 1) }}
    ){{ ',' if not loop.last }}
    {%- endfor %}

),

rules_in_use as (

    select * from {{ ref('int_rules_in_use') }}

),

results as {{ as_is }}(

    select
        *,
        {{ bucket_rank('cap_bucket') }} as cap_rank
    from {{ rule_results }}
    where
        {{ dates }}
        and rule_set in ('{{ rule_sets | map(attribute='rule_set') | join("', '") }}')

),

summed as {{ as_is }}(

    select
        account_id,
        as_of_date,
        rule_set,
        sum(points) as points,
        sum(points_low) as points_low,
        sum(points_high) as points_high,
        bool_or(is_unbounded and points_low < 0) as is_unbounded_below,
        bool_or(is_unbounded and points_high > 0) as is_unbounded_above,
        min(cap_rank) filter (where result = 'true') as cap_rank,
        min(cap_rank) filter (where result in ('true', 'unknown')) as possible_cap_rank,
        -- lists, put in order below: an aggregate with an order of its own costs several times as much
        list({'rule_number': rule_number, 'title': title}) filter (where result = 'true' and needs_review) as reviews,
        list(flag) filter (where result = 'true' and flag is not null) as flags,
        flatten(list(string_split(missing_signals, ', ')) filter (where missing_signals is not null)) as missing_signals,
        count(*) filter (where result = 'unknown') as rules_unknown
    from results
    group by account_id, as_of_date, rule_set

),

totals as {{ as_is }}(

    select
        accounts.account_id,
        accounts.as_of_date,
        accounts.contradiction,
        accounts.is_customer_unknown,
        rule_sets.*,
        cast(rule_sets.base_score + coalesce(summed.points, 0) as decimal(18, 6)) as total,
        case
            when summed.is_unbounded_below then 0
            else cast(rule_sets.base_score + coalesce(summed.points_low, 0) as decimal(18, 6))
        end as total_low,
        case
            when summed.is_unbounded_above then 100
            else cast(rule_sets.base_score + coalesce(summed.points_high, 0) as decimal(18, 6))
        end as total_high,
        coalesce(summed.cap_rank, 3) as cap_rank,
        coalesce(summed.possible_cap_rank, 3) as possible_cap_rank,
        array_to_string([review.title for review in list_sort(summed.reviews)], '; ') as review_rules,
        {{ joined_list('summed.flags') }} as flags,
        {{ joined_list("list_concat(summed.missing_signals, case when is_customer_unknown then ['is_paid_plan'] end)") }}
            as unknown_signals,
        coalesce(own_rules.rules_in_use, general_rules.rules_in_use) as rules_in_use,
        coalesce(summed.rules_unknown, 0) as rules_unknown
    from accounts
    cross join rule_sets
    left join summed
        on
            accounts.account_id = summed.account_id
            and accounts.as_of_date = summed.as_of_date
            and rule_sets.rule_set = summed.rule_set
    left join rules_in_use as own_rules
        on
            accounts.as_of_date = own_rules.as_of_date
            and accounts.segment = own_rules.segment
            and rule_sets.rule_set = own_rules.rule_set
    left join rules_in_use as general_rules
        on
            accounts.as_of_date = general_rules.as_of_date
            and general_rules.segment is null
            and rule_sets.rule_set = general_rules.rule_set

),

{% if smoothed -%}
{% if recorded -%}
recorded as (

    select * from ({{ recorded }}) as recorded
    where as_of_date in (
        select distinct as_of_date from ({{ recorded }}) as recorded_dates
        order by as_of_date desc
        limit {{ smoothed | map(attribute='smoothing_days') | max | int - 1 }}
    )

),

{% endif -%}
daily_scores as (

    select
        account_id,
        as_of_date,
        rule_set,
        greatest(0, least(100, total)) as score,
        greatest(0, least(100, total_low)) as score_low,
        greatest(0, least(100, total_high)) as score_high
    from totals
    {%- if recorded %}
    union all
    select * from recorded
    {%- endif %}

),

score_dates as (

    select
        as_of_date,
        row_number() over (order by as_of_date) as date_number
    from (
        select as_of_date from accounts
        {%- if recorded %}
        union all
        select as_of_date from recorded
        {%- endif %}
    ) as dates
    group by as_of_date

),

medians as (

    select
        daily_scores.account_id,
        daily_scores.as_of_date,
        daily_scores.rule_set,
        median(score) over recent_dates as bucket_score,
        median(score_low) over recent_dates as bucket_score_low,
        median(score_high) over recent_dates as bucket_score_high
    from daily_scores
    inner join score_dates
        on daily_scores.as_of_date = score_dates.as_of_date
    inner join rule_sets
        on daily_scores.rule_set = rule_sets.rule_set
    where daily_scores.rule_set in ('{{ smoothed | map(attribute='rule_set') | join("', '") }}')
    window recent_dates as (
        partition by daily_scores.account_id, daily_scores.rule_set
        order by score_dates.date_number
        range between smoothing_days - 1 preceding and current row
    )

),

bucket_scores as (

    select
        totals.*,
        coalesce(medians.bucket_score, totals.total) as bucket_score,
        coalesce(medians.bucket_score_low, totals.total_low) as bucket_score_low,
        coalesce(medians.bucket_score_high, totals.total_high) as bucket_score_high
    from totals
    left join medians
        on
            totals.account_id = medians.account_id
            and totals.as_of_date = medians.as_of_date
            and totals.rule_set = medians.rule_set

),

{% endif -%}
-- bounds of a bucket are closed below
ranked as (

    select
        *,
        least(cap_rank, 1 + cast({{ read }} >= watch_from as integer) + cast({{ read }} >= healthy_from as integer)) as rank,
        least(
            possible_cap_rank,
            1 + cast({{ read }}_low >= watch_from as integer) + cast({{ read }}_low >= healthy_from as integer)
        ) as rank_low,
        least(
            cap_rank, 1 + cast({{ read }}_high >= watch_from as integer) + cast({{ read }}_high >= healthy_from as integer)
        ) as rank_high
    from {{ 'bucket_scores' if smoothed else 'totals' }}

)

select
    -- ids
    account_id,
    as_of_date,
    rule_set,

    -- score
    cast(greatest(0, least(100, total)) as double) as score,
    cast(greatest(0, least(100, total_low)) as double) as score_low,
    cast(greatest(0, least(100, total_high)) as double) as score_high,
    {{ bucket_name('rank') }} as bucket,
    {{ bucket_name('rank_low') }} as bucket_low,
    {{ bucket_name('rank_high') }} as bucket_high,

    -- decision
    case
        when contradiction is not null then 'conflict'
        when rank_low <> rank_high or is_customer_unknown then 'undecided'
        else 'decided'
    end as decision,
    contradiction as conflict_reason,
    unknown_signals,
    review_rules,
    flags,
    case
        when rules_in_use > 0 then cast(100 * (rules_in_use - rules_unknown) as double) / rules_in_use
    end as coverage_pct,

    -- rule set
    cast(base_score as decimal(18, 6)) as base_score,
    cast(total - base_score as decimal(18, 6)) as points,
    rule_set_status,
    rule_version
from ranked
{% endmacro %}
