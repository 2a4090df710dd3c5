-- Grain: one row per account and shadow rule set, with how the shadow sees it differently from the champion rule set.
-- A view: its rows are those of fct_rule_set_comparison.
with

comparison as (

    select * from {{ ref('fct_rule_set_comparison') }}

),

accounts as (

    select * from {{ ref('rpt_account_health') }}

),

final as (

    select
        -- ids
        comparison.account_id,
        accounts.account_name,
        comparison.owner_id,
        accounts.owner_name,
        comparison.champion_rule_set,
        comparison.shadow_rule_set,

        -- both
        comparison.segment,
        comparison.arr_usd,
        comparison.champion_score,
        comparison.champion_bucket,
        comparison.champion_decision,
        comparison.champion_reasons,
        comparison.shadow_score,
        comparison.shadow_bucket,
        comparison.shadow_decision,
        comparison.shadow_reasons,

        -- difference
        comparison.score_difference,
        comparison.bucket_difference > 0 as is_better,
        comparison.bucket_difference < 0 as is_worse,
        comparison.is_other_decision,
        comparison.bucket_difference <> 0 or comparison.is_other_decision as is_different,
        abs(comparison.bucket_difference) as buckets_apart,
        abs(comparison.score_difference) as points_apart
    from comparison
    left join accounts
        on comparison.account_id = accounts.account_id

)

select * from final
