-- The champion rule set tells accounts apart: neither nearly all healthy, nor very many at risk, nor rules that in no
-- combination take an account out of healthy. A warning: the rules, or the feeds that are in use, want a look.
{{ config(severity='warn') }}

select
    check_name,
    accounts,
    accounts_found,
    finding
from {{ ref('rpt_rule_set_checks') }}
where is_over_limit
