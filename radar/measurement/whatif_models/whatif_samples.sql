-- Grain: one row per account that would move on the newest date, those with most revenue first, with the evidence of the
-- rules that are asked about; no more rows than are shown.
with

accounts as (

    select * from {{ ref('whatif_accounts') }}
    where has_moved

),

evidence as (

    select
        account_id,
        string_agg(evidence, '; ' order by points, rule_id) as evidence
    from {{ ref('candidate_results') }}
    where result in ('true', 'unknown')
    group by account_id

),

final as (

    select
        row_number() over (order by accounts.arr_usd desc nulls last, accounts.account_id) as position,
        accounts.account_id,
        accounts.bucket_before,
        accounts.bucket_after,
        accounts.score_before,
        accounts.score_after,
        evidence.evidence
    from accounts
    left join evidence
        on accounts.account_id = evidence.account_id
    order by position
    limit {{ var('samples') }}

)

select * from final
