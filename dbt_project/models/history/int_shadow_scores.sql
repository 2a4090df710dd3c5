-- Grain: one row per account scored on the newest as-of date of this build and shadow rule set, as in fct_health_scores.
-- Shadows whose bucket reads a median are evaluated on the scored dates before as well; no more of them than it reads.
-- depends_on: {{ [ref('int_accounts__as_of'), ref('fct_rule_results')] | join(', ') }}
{% set smoothed = scoring_rule_sets(status='shadow') | selectattr('smoothing_days') | list -%}
{% set most = smoothed | map(attribute='smoothing_days') | max | int if smoothed else 1 -%}
{% set dates = seed_rows(
    'select distinct as_of_date from ' ~ ref('int_accounts__as_of') ~ ' where as_of_date < ' ~ as_of_end()
    ~ ' order by as_of_date desc limit ' ~ (most - 1)
) | map(attribute='as_of_date') | list -%}
with

recent_results as (

    select
        account_id,
        as_of_date,
        rule_set,
        rule_number,
        title,
        result,
        points,
        points_low,
        points_high,
        flag,
        cap_bucket,
        needs_review,
        missing_signals,
        is_unbounded
    from {{ ref('int_newest_rule_results') }}
    {%- if dates %}
    union all
    select
        account_id,
        as_of_date,
        rule_set,
        rule_number,
        title,
        result,
        points,
        points_low,
        points_high,
        flag,
        cap_bucket,
        needs_review,
        missing_signals,
        is_unbounded
    from {{ ref('fct_rule_results') }}
    where
        rule_set in ('{{ smoothed | map(attribute='rule_set') | join("', '") }}')
        and as_of_date in (date '{{ dates | join("', date '") }}')
    {%- endif %}

),

scores as (

    {{ health_scores('recent_results', scoring_rule_sets(), dates='as_of_date >= ' ~ ("date '" ~ dates[-1] ~ "'" if dates else as_of_end())) }}

),

final as (

    select * from scores
    where
        rule_set_status = 'shadow'
        and as_of_date = {{ as_of_end() }}

)

select * from final
