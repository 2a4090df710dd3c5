-- Grain: one row per scored account of the newest as-of date of this build: its four reasons, most points lost
-- first, then what limits the bucket or needs a person, then what is not known, then what speaks for it.
with

evidence as (

    select * from {{ ref('fct_health_evidence') }}
    where as_of_date = {{ as_of_end() }}

),

ranked as (

    select
        account_id,
        rule_id,
        evidence,
        row_number() over (
            partition by account_id
            order by
                case
                    when result = 'true' and points < 0 then 1
                    when result = 'true' and points = 0 then 2
                    when result = 'unknown' then 3
                    else 4
                end,
                points,
                rule_number
        ) as reason_rank
    from evidence

),

final as (

    select
        account_id,
        max(evidence) filter (where reason_rank = 1) as reason_1,
        max(evidence) filter (where reason_rank = 2) as reason_2,
        max(evidence) filter (where reason_rank = 3) as reason_3,
        max(evidence) filter (where reason_rank = 4) as reason_4,
        nullif(concat_ws(
            ', ',
            max(rule_id) filter (where reason_rank = 1),
            max(rule_id) filter (where reason_rank = 2),
            max(rule_id) filter (where reason_rank = 3),
            max(rule_id) filter (where reason_rank = 4)
        ), '') as reason_rules
    from ranked
    group by account_id

)

select * from final
