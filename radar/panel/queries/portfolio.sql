-- The page Portfolio. `filter_*`, `groups`, `totals` and `accounts` are on the file of `radar.panel.read_model`, the
-- others on the published copy. `{{where}}`: whose accounts, and of the filters those that are set.

-- name: mine
[[mine portfolio.owner_id]]

-- name: filter_segment
portfolio.segment_group = $segment

-- name: filter_owner
portfolio.owner_group = $owner

-- name: filter_plan
portfolio.plan_group = $plan

-- name: filter_renewal
portfolio.renewal_group = $renewal

-- name: filter_bucket
portfolio.bucket = $bucket

-- name: filter_decision
portfolio.decision = $decision

-- name: filter_rule
portfolio.account_id in (select account_id from portfolio_marks where kind = 'rule' and value = $rule)

-- name: filter_flag
portfolio.account_id in (select account_id from portfolio_marks where kind = 'flag' and value = $flag)

-- name: filter_within
portfolio.days_to_renewal <= cast($within as integer)

-- name: filter_team
-- $team: the ids of its owners, a JSON list.
portfolio.owner_group in (select value from json_each($team))

-- name: filter_parent
portfolio.account_id in (
    select account_id from hierarchy where account_id = $parent or parent_account_id = $parent
)

-- name: options
-- What the filters offer: value and how people read it.
select distinct
    filter,
    value,
    label
from marts.rpt_portfolio_filters
where [[mine owner_id]]
order by filter, label

-- name: days
select
    as_of_date,
    bucket,
    sum(accounts) as accounts,
    sum(arr_usd) as arr_usd
from marts.rpt_buckets_daily
where
    [[mine owner_id]]
    and as_of_date > $since
    and ($segment::varchar is null or coalesce(segment, 'none') = $segment)
    and ($owner::varchar is null or coalesce(owner_id, 'none') = $owner)
group by as_of_date, bucket
order by as_of_date, bucket

-- name: days_of_split
select
    as_of_date,
    bucket,
    sum(accounts) as accounts,
    sum(arr_usd) as arr_usd
from marts.rpt_portfolio_daily
where
    [[mine owner_id]]
    and as_of_date > $since
    and split = $split
    and split_value = $value
    and ($owner::varchar is null or coalesce(owner_id, 'none') = $owner)
group by as_of_date, bucket
order by as_of_date, bucket

-- name: moves
select
    bucket_before,
    bucket,
    max(compared_with) as compared_with,
    sum(accounts) as accounts,
    sum(arr_usd) as arr_usd
from marts.rpt_bucket_moves
where
    [[mine owner_id]]
    and ($segment::varchar is null or coalesce(segment, 'none') = $segment)
    and ($owner::varchar is null or coalesce(owner_id, 'none') = $owner)
group by bucket_before, bucket
order by accounts desc, bucket_before, bucket

-- name: factors
with counted as (
    select
        kind,
        factor,
        max(bound) as bound,
        sum(accounts) as accounts,
        sum(at_risk) as at_risk,
        sum(with_factor) as with_factor,
        sum(at_risk_with_factor) as at_risk_with_factor
    from marts.rpt_risk_factors
    where
        [[mine owner_id]]
        and ($segment::varchar is null or coalesce(segment, 'none') = $segment)
        and ($owner::varchar is null or coalesce(owner_id, 'none') = $owner)
    group by kind, factor
)

select
    counted.*,
    (counted.at_risk_with_factor::double / counted.with_factor) / (counted.at_risk::double / counted.accounts) as lift,
    labels.label,
    labels.unit,
    labels.is_scored,
    labels.least_with_factor,
    labels.least_at_risk_with_factor
from counted
inner join marts.rpt_risk_factor_labels as labels
    on
        counted.kind = labels.kind
        and counted.factor = labels.factor
where
    counted.with_factor >= labels.least_with_factor
    and counted.at_risk_with_factor >= labels.least_at_risk_with_factor
order by lift desc, counted.with_factor desc, counted.kind, counted.factor

-- name: groups
select
    {group} as value,
    count(*) as accounts,
    sum(healthy) as healthy,
    sum(watch) as watch,
    sum(at_risk) as at_risk,
    coalesce(sum(arr_usd), 0) as arr_usd,
    sum(at_risk_arr_usd) as at_risk_arr_usd,
    avg(score) as mean_score
from portfolio
where {where}
group by {group}
order by {order}

-- name: totals
select
    count(*) as accounts,
    coalesce(sum(healthy), 0) as healthy,
    coalesce(sum(watch), 0) as watch,
    coalesce(sum(at_risk), 0) as at_risk,
    coalesce(sum(arr_usd), 0) as arr_usd,
    coalesce(sum(healthy_arr_usd), 0) as healthy_arr_usd,
    coalesce(sum(watch_arr_usd), 0) as watch_arr_usd,
    coalesce(sum(at_risk_arr_usd), 0) as at_risk_arr_usd
from portfolio
where {where}

-- name: accounts
select
    account_id,
    account_name,
    owner_name,
    segment,
    plan_id,
    arr_usd,
    score,
    score_low,
    score_high,
    bucket,
    decision,
    is_overridden,
    delta_7d,
    days_to_renewal,
    reason_1,
    flags
from portfolio
where {where}
order by {order}, account_id
limit $rows offset $from_row
