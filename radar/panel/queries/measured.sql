-- How right the scores were, on the pages Quality and Signals: figures as the marts have them.

-- name: columns
-- for everyone
-- Of the marts that this copy has: an earlier release made none of those of measurement.
select
    table_name,
    list(column_name order by ordinal_position) as columns
from information_schema.columns
where table_schema = 'marts'
group by table_name

-- name: rule_audit
-- for everyone
-- On the file of `radar.panel.read_model`.
select body
from shared
where name = $name

-- name: rpt_signals_by_outcome
-- for everyone
select * from marts.rpt_signals_by_outcome where outcome = $outcome and segment = $segment order by all

-- name: rpt_health_metrics_weekly
-- for everyone
-- Of one slice, that of all: a rep does not see how others follow through.
select * from marts.rpt_health_metrics_weekly where slice = $slice order by all
