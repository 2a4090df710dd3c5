-- People agree with the flags that they were asked about: where they disagree with more than
-- settings.disagreement_limit_pct of the spot checks they answered lately, the rules want a look. A warning.
{{ config(severity='warn') }}

select
    period,
    answered,
    disagreed,
    disagreed_pct
from {{ ref('rpt_review_agreement') }}
where
    period = 'overall'
    and is_over_limit
