-- Grain: one row per rule set and rule: what the score would be worth without the rule. auc_difference is that of the
-- score less that of the score without the rule, within 90 days, paired by account: above 0 the rule helps.
with

observations as (

    select
        rule_set,
        rule_id,
        account_id,
        score,
        score_without,
        has_churned
    from {{ ref('int_rule_observations') }}
    where
        period = 'all'
        and is_known

),

without_rule as (

    select
        rule_set,
        rule_id,
        account_id,
        score_without as score,
        has_churned
    from observations

),

places as (

    {{ auc_places('observations', ['rule_set', 'rule_id']) }}

),

places_without as (

    {{ auc_places('without_rule', ['rule_set', 'rule_id']) }}

),

differences as (

    select
        places.rule_set,
        places.rule_id,
        places.account_id,
        places.positives,
        places.others,
        places.positive_places - places_without.positive_places as positive_places,
        places.other_places - places_without.other_places as other_places,
        places.all_positives,
        places.all_others
    from places
    inner join places_without
        on
            places.rule_set = places_without.rule_set
            and places.rule_id = places_without.rule_id
            and places.account_id = places_without.account_id

),

areas_without as (

    {{ clustered_auc('places_without', ['rule_set', 'rule_id']) }}

),

compared as (

    {{ clustered_auc('differences', ['rule_set', 'rule_id']) }}

),

final as (

    select
        areas_without.rule_set,
        areas_without.rule_id,
        areas_without.positive_accounts as churned_accounts,
        areas_without.auc as auc_without,
        compared.auc as auc_difference,
        compared.auc_low as auc_difference_low,
        compared.auc_high as auc_difference_high
    from areas_without
    inner join compared
        on
            areas_without.rule_set = compared.rule_set
            and areas_without.rule_id = compared.rule_id

)

select * from final
