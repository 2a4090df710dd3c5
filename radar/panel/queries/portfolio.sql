-- The page Portfolio. `{{where}}` is the query `where`, `{{order}}` one of the orders of the page.

-- name: where
-- The newest day's accounts of this person that the filters let through.
[[mine accounts.owner_id]]
and ($segment::varchar is null or coalesce(accounts.segment, 'none') = $segment)
and ($owner::varchar is null or coalesce(accounts.owner_id, 'none') = $owner)
and ($plan::varchar is null or coalesce(accounts.plan_id, 'none') = $plan)
and ($bucket::varchar is null or accounts.bucket = $bucket)
and (
    $renewal::varchar is null
    or coalesce(
        year(accounts.as_of_date + accounts.days_to_renewal::integer)
        || '-Q' || quarter(accounts.as_of_date + accounts.days_to_renewal::integer),
        'none'
    ) = $renewal
)
and (
    $decision::varchar is null
    or accounts.decision = $decision
)
and (
    $rule::varchar is null
    or accounts.account_id in (
        select evidence.account_id
        from marts.fct_health_evidence as evidence
        where
            evidence.as_of_date = $as_of
            and evidence.rule_id = $rule
            and evidence.result = 'true'
    )
)

-- name: options
-- What the filters offer: value and how people read it.
with mine as (
    select *
    from marts.rpt_account_health
    where [[mine owner_id]]
)

select distinct 'segment' as filter, coalesce(segment, 'none') as value, coalesce(segment, 'none') as label from mine
union all
select distinct 'owner', coalesce(owner_id, 'none'), coalesce(max(owner_name), owner_id, 'none') from mine group by owner_id
union all
select distinct 'plan', coalesce(plan_id, 'none'), coalesce(plan_id, 'none') from mine
union all
select distinct
    'renewal',
    coalesce(year(as_of_date + days_to_renewal::integer) || '-Q' || quarter(as_of_date + days_to_renewal::integer), 'none'),
    coalesce(year(as_of_date + days_to_renewal::integer) || ' Q' || quarter(as_of_date + days_to_renewal::integer), 'none')
from mine
order by filter, label

-- name: rule_titles
-- for everyone
select
    rules.rule_id,
    coalesce(min(rules.title) filter (where rules.segment is null), min(rules.title)) as title
from seeds.rules as rules
inner join seeds.rule_sets as rule_sets
    on rules.rule_set = rule_sets.rule_set
where rule_sets.status = 'champion'
group by rules.rule_id
order by title

-- name: days
select
    as_of_date,
    bucket,
    sum(accounts) as accounts,
    sum(arr_usd) as arr_usd
from marts.rpt_buckets_daily
where
    [[mine owner_id]]
    and as_of_date > $as_of::date - 366
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
    and as_of_date > $as_of::date - 366
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
-- Lift of what at least five accounts have and three accounts at risk share.
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
    coalesce(rules.title, signals.label, counted.factor) as label,
    signals.unit,
    counted.kind = 'rule' or exists (
        select 1
        from seeds.rule_conditions as conditions
        inner join seeds.rule_sets as rule_sets
            on conditions.rule_set = rule_sets.rule_set
        where
            rule_sets.status = 'champion'
            and conditions.signal = counted.factor
    ) as is_scored
from counted
left join seeds.signals as signals
    on
        counted.kind <> 'rule'
        and counted.factor = signals.signal
left join (
    select
        rules.rule_id,
        coalesce(min(rules.title) filter (where rules.segment is null), min(rules.title)) as title
    from seeds.rules as rules
    inner join seeds.rule_sets as rule_sets
        on rules.rule_set = rule_sets.rule_set
    where rule_sets.status = 'champion'
    group by rules.rule_id
) as rules
    on
        counted.kind = 'rule'
        and counted.factor = rules.rule_id
where
    counted.with_factor >= (select value from seeds.settings where setting = 'factor_accounts_least')
    and counted.at_risk_with_factor >= (select value from seeds.settings where setting = 'factor_at_risk_least')
order by lift desc, counted.with_factor desc, counted.kind, counted.factor

-- name: groups
select
    coalesce({group}, 'none') as value,
    count(*) as accounts,
    count(*) filter (where bucket = 'healthy') as healthy,
    count(*) filter (where bucket = 'watch') as watch,
    count(*) filter (where bucket = 'at_risk') as at_risk,
    coalesce(sum(arr_usd), 0) as arr_usd,
    coalesce(sum(arr_usd) filter (where bucket = 'at_risk'), 0) as at_risk_arr_usd,
    avg(score) as mean_score
from marts.rpt_account_health as accounts
where {where}
group by all
order by {order}

-- name: totals
select
    count(*) as accounts,
    count(*) filter (where bucket = 'healthy') as healthy,
    count(*) filter (where bucket = 'watch') as watch,
    count(*) filter (where bucket = 'at_risk') as at_risk,
    coalesce(sum(arr_usd), 0) as arr_usd,
    coalesce(sum(arr_usd) filter (where bucket = 'healthy'), 0) as healthy_arr_usd,
    coalesce(sum(arr_usd) filter (where bucket = 'watch'), 0) as watch_arr_usd,
    coalesce(sum(arr_usd) filter (where bucket = 'at_risk'), 0) as at_risk_arr_usd
from marts.rpt_account_health as accounts
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
from marts.rpt_account_health as accounts
where {where}
order by {order}, account_id
limit $rows offset $from_row
