"""How right the scores were: a part of the page Quality, and the page Signals.

The backtest is that of the daily run, in the sentences, tables and charts of `radar backtest`. Belongs here:
what is shown of it. Does not belong here: any figure; those are the marts'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radar.measurement import report
from radar.measurement.backtest import REPORTS, recorded
from radar.panel import charts, queries
from radar.panel.page_cache import cached_page
from radar.panel.people import Person
from radar.panel.published_db import About, NoDataError, PublishedDatabase, Row
from radar.panel.read_model import ReadModel, read
from radar.panel.web import csv_answer, number, person_of, published_db_of

WEEKS_SHOWN = 26
MOST_OBSERVATIONS = 20_000
"""Of signals next to outcomes, which are counted while somebody waits."""

WEEKLY = {
    "base_rate": "Left, of all observations",
    "precision": "Left, of those at risk",
    "false_positive_rate": "At risk, of those that stayed",
    "missed_risk": "Healthy, of those that left",
    "trend_accuracy": "Moves of the score that lasted",
    "expansion_hits": "Grew, of those ready to grow",
    "renewal_rate": "Renewals that were not lost",
    "renewal_rate_of_flagged": "Renewals that were not lost, of accounts at risk",
    "renewals_contracted": "Renewals with less revenue",
    "renewals_flat": "Renewals with the same revenue",
    "renewals_expanded": "Renewals with more revenue",
    "reached_after_flag": "Reached in time after a flag",
    "days_to_first_outreach": "Days from the flag to the first outreach",
    "reviewed_changes": "Changes of bucket that a person reviewed",
    "overridden": "Accounts under an override",
    "follow_through": "Actions done by their due day",
    "tasks_per_100_accounts": "Tasks per 100 accounts",
    "logo_churn": "Customers that left",
    "gross_revenue_retention": "Gross revenue retention",
    "net_revenue_retention": "Net revenue retention",
}
"""The weekly metrics as people read them, in their order; docs/measurement.md defines each."""

NUMBERS = {"days_to_first_outreach", "tasks_per_100_accounts"}
"""Those that are no share."""

COSTS = {
    "run_seconds": "Seconds",
    "run_cpu_seconds": "CPU seconds",
    "run_bytes_read": "Bytes of new files",
    "run_api_calls": "Attempts to deliver",
    "run_cost_usd": "USD, estimated",
}
OUTCOMES = {"churn": "Left within 90 days", "expansion": "Grew within 90 days"}
FILES = (
    *REPORTS,
    "rpt_bucket_outcomes",
    "rpt_health_metrics_weekly",
    "rpt_run_costs_weekly",
    "rpt_retention_cohorts",
    "rpt_rule_audit",
    "rpt_signals_by_outcome",
)
"""The marts that are offered as files."""


@dataclass(frozen=True)
class Measured:
    """What the copy and the read model drawn from it have of measurement."""

    published_db: PublishedDatabase
    read_model: ReadModel
    person: Person

    def ask(self, name: str, **parameters: Any) -> list[Row]:
        """What a query of `queries/measured.sql` answers."""
        return self.published_db.rows(self.person, queries.load("measured")[name], **parameters)

    def columns(self) -> dict[str, list[str]]:
        """Of the marts that are there, their columns."""
        found = self.ask("columns", names=json.dumps(FILES))
        return {row["table_name"]: row["columns"] for row in found}

    def rules(self) -> list[Row] | None:
        """The audit of rules; None where the copy has none, or too much of it."""
        rows = self.read_model.rows(self.person, queries.load("measured")["rule_audit"])
        return read(rows[0]["body"]) if rows else None

    def file(self, name: str, asked: Mapping[str, str]) -> tuple[Sequence[str], Sequence[Row]]:
        """Columns and rows of one of the FILES; none of what the copy does not have."""
        columns = self.columns().get(name)
        if columns is None:
            return (), []
        if name == "rpt_rule_audit":
            return columns, self.rules() or []
        if name == "rpt_signals_by_outcome":
            return columns, self.ask(name, **self.signals_asked(asked)) if self.has_few_observations() else []
        return columns, self.ask(name)

    def has_few_observations(self) -> bool:
        """Whether signals can be counted while somebody waits."""
        return bool(self.ask("observations")[0]["observations"] <= MOST_OBSERVATIONS)

    def signals_asked(self, asked: Mapping[str, str]) -> dict[str, str]:
        """The outcome and the segment that an address names, of those that there are."""
        outcome, segment = asked.get("outcome", ""), asked.get("segment", "")
        return {
            "outcome": outcome if outcome in OUTCOMES else "churn",
            "segment": segment if segment in self.segments() else "all",
        }

    def segments(self) -> list[str]:
        """What signals are divided by: all, and each segment."""
        return ["all", *(row["segment"] for row in self.ask("segments"))]


def measured_of(request: Request) -> Measured:
    """What this person may see of it."""
    return Measured(published_db_of(request), request.app.state.read_model, person_of(request))


def context(measured: Measured) -> dict[str, Any]:
    """For the page Quality: the backtest, weekly metrics and the audit of rules."""
    there = measured.columns()
    has_weekly = "rpt_health_metrics_weekly" in there
    rules = measured.rules()
    return {
        "backtest": _backtest(measured) if there.keys() >= set(REPORTS) else None,
        "has_weekly": has_weekly,
        "weekly": _weekly(measured) if has_weekly else [],
        "costs": measured.ask("costs") if "rpt_run_costs_weekly" in there else [],
        "cost_labels": COSTS,
        "has_rule_audit": "rpt_rule_audit" in there,
        "audited": None if rules is None else [row for row in rules if row["period"] == "all"],
        "percent": report.percent,
        "rate": report.rate,
        "interval": report.interval,
    }


def _backtest(measured: Measured) -> dict[str, Any]:
    """Sentences first, then what has a chart, the capacity curve first, then the other tables."""
    done = recorded({name: measured.ask(name) for name in REPORTS})
    sections = report.sections(done)
    return {
        "sentences": report.sentences(done),
        "drawn": [section for section in sections if section.chart],
        "others": [section for section in sections if not section.chart],
    }


def _weekly(measured: Measured) -> list[dict[str, Any]]:
    order = list(WEEKLY)
    found = [row for row in measured.ask("weekly", weeks=WEEKS_SHOWN) if row["metric"] in WEEKLY]
    return [
        {
            **row,
            "label": WEEKLY[row["metric"]],
            "text": number(row["value"]) if row["metric"] in NUMBERS else report.percent(row["value"]),
            "interval": report.interval(report.ci(row)),
            "line": charts.sparkline(row["series"], 120, 28, f"{WEEKLY[row['metric']]}, week by week", low=0),
        }
        for row in sorted(found, key=lambda row: (order.index(row["metric"]), row["horizon_days"]))
    ]


def account_outcomes(shared: Mapping[str, list[Row]], health: Mapping[str, Any], fired: Sequence[str]) -> Any:
    """How accounts in this bucket, and those with the same rules, did; None where the copy does not say."""
    if "bucket_outcomes" not in shared:
        return None
    bucket = next((row for row in shared["bucket_outcomes"] if row["bucket"] == health["model_bucket"]), None)
    rules = {
        row["rule_id"]: row
        for row in shared.get("rule_outcomes", [])
        if row["rule_set"] == health["rule_set"] and row["known"]
    }
    return {
        "bucket": bucket and bucket_sentence(bucket),
        "rules": [rules[rule] for rule in fired if rule in rules],
    }


def bucket_sentence(row: Mapping[str, Any]) -> str:
    """`Of 40 accounts in this bucket 11 left within 90 days (28 %, 16 to 43).`"""
    count = f"{row['accounts']:,} account{'' if row['accounts'] == 1 else 's'}"
    return f"Of {count} in this bucket {row['churned']:,} left within 90 days ({report.rate(row)})."


def show_signals(request: Request) -> Response:
    """What accounts that left, or grew, have in common, signal by signal; or that as a file."""
    about: About | None = request.state.about
    if about is None:
        raise NoDataError
    measured = measured_of(request)
    asked = request.query_params
    if request.query_params.get("format") == "csv":
        return csv_answer(f"radar_signals_{about.as_of}.csv", *measured.file("rpt_signals_by_outcome", asked))
    view = (asked.get("outcome", ""), asked.get("segment", ""))
    return cached_page(request, "Signals", "signals.html", view, lambda: _signals(measured, asked))


def _signals(measured: Measured, asked: Mapping[str, str]) -> dict[str, Any]:
    is_there = "rpt_signals_by_outcome" in measured.columns()
    if not is_there or not measured.has_few_observations():
        return {"is_there": is_there, "rows": None}
    chosen = measured.signals_asked(asked)
    return {
        "is_there": True,
        "rows": measured.ask("signals", **chosen),
        "chosen": chosen,
        "outcomes": OUTCOMES,
        "segments": measured.segments(),
        "interval": report.interval,
        "rate": report.rate,
    }


routes = [Route("/quality/signals", show_signals)]
