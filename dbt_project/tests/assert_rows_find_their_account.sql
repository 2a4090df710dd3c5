-- Rows name accounts that are known: a feed of which less than settings.join_coverage_limit_pct does wants identities,
-- or accounts that the CRM has not delivered. A warning.
{{ config(severity='warn') }}

select
    feed,
    rows_total,
    rows_resolved,
    largest_unresolved
from {{ ref('rpt_join_coverage') }}
where is_below_limit
