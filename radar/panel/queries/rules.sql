-- The page Rules. `{{differ}}` is one of the conditions of the page.

-- name: rule_sets
-- for everyone
select * from seeds.rule_sets

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
    comparison.account_id,
    accounts.account_name,
    accounts.owner_name,
    comparison.segment,
    comparison.arr_usd,
    comparison.champion_score,
    comparison.champion_bucket,
    comparison.champion_decision,
    comparison.shadow_score,
    comparison.shadow_bucket,
    comparison.shadow_decision,
    comparison.score_difference,
    comparison.champion_reasons,
    comparison.shadow_reasons
from marts.fct_rule_set_comparison as comparison
left join marts.rpt_account_health as accounts
    on comparison.account_id = accounts.account_id
where
    [[mine comparison.owner_id]]
    and comparison.shadow_rule_set = $rule_set
    and {differ}
order by abs(comparison.bucket_difference) desc, abs(comparison.score_difference) desc, comparison.account_id
limit $rows offset $from_row

-- name: how_many_differ
select
    count(*) as accounts,
    count(*) filter (where bucket_difference <> 0 or is_other_decision) as differs,
    count(*) filter (where bucket_difference > 0) as better,
    count(*) filter (where bucket_difference < 0) as worse,
    count(*) filter (where is_other_decision) as decision
from marts.fct_rule_set_comparison
where
    [[mine owner_id]]
    and shadow_rule_set = $rule_set
