-- The page Rules. `{{differ}}` is a column, as the page has them.

-- name: rule_sets
-- for everyone
select * from seeds.rule_sets

-- name: states
-- for everyone
select * from marts.rpt_rule_set_states
order by list_position(['champion', 'shadow', 'candidate', 'retired'], status), rule_set

-- name: rules
-- for everyone
select * from seeds.rules

-- name: rule_conditions
-- for everyone
select * from seeds.rule_conditions

-- name: signals
-- for everyone
select * from seeds.signals

-- name: feeds
-- for everyone
select * from seeds.feeds

-- name: versions
-- for everyone
select
    rule_set,
    min(rule_version) as rule_version
from marts.rpt_rule_firings
group by rule_set

-- name: firings
select
    rule_set,
    rule_id,
    coalesce(segment, 'none') as segment,
    sum(accounts) as accounts,
    sum(held) as held,
    sum(unknown) as unknown,
    sum(switched_off) as switched_off,
    sum(points)::double as points,
    sum(held_arr_usd) as held_arr_usd
from marts.rpt_rule_firings
where [[mine owner_id]]
group by all
order by rule_set, min(rule_number), segment

-- name: crossed
select
    champion_bucket,
    shadow_bucket,
    count(*) as accounts,
    coalesce(sum(arr_usd), 0) as arr_usd
from marts.fct_rule_set_comparison
where
    [[mine owner_id]]
    and shadow_rule_set = $rule_set
group by all

-- name: differences
select
    account_id,
    account_name,
    owner_name,
    segment,
    arr_usd,
    champion_score,
    champion_bucket,
    champion_decision,
    shadow_score,
    shadow_bucket,
    shadow_decision,
    score_difference,
    champion_reasons,
    shadow_reasons
from marts.rpt_rule_set_differences
where
    [[mine owner_id]]
    and shadow_rule_set = $rule_set
    and {differ}
order by buckets_apart desc, points_apart desc, account_id
limit $rows offset $from_row

-- name: how_many_differ
select
    count(*) as accounts,
    count(*) filter (where is_different) as differs,
    count(*) filter (where is_better) as better,
    count(*) filter (where is_worse) as worse,
    count(*) filter (where is_other_decision) as decision
from marts.rpt_rule_set_differences
where
    [[mine owner_id]]
    and shadow_rule_set = $rule_set
