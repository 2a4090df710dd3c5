"""How right the scores were: a part of the page Quality, and the page Signals.

The backtest is that of the daily run, in the sentences, tables and charts of `radar backtest`. Belongs here:
what is shown of it. Does not belong here: any figure; those are the marts'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radar.core.plural import counted
from radar.measurement import report
from radar.measurement.backtest import recorded
from radar.panel import charts, queries
from radar.panel.page_cache import cached_page
from radar.panel.people import Person
from radar.panel.published_db import About, NoDataError, PublishedDatabase, Row
from radar.panel.read_model import BUCKETS, RULES, ReadModel, read
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
CHANCE = 0.5
"""The auc of what tells nobody apart."""

OUTCOMES = {"churn": "Left within 90 days", "expansion": "Grew within 90 days"}
BACKTEST = (
    "marts.rpt_backtest",
    "marts.rpt_backtest_calibration",
    "marts.rpt_backtest_capacity",
    "marts.rpt_backtest_episodes",
    "marts.rpt_backtest_horizons",
    "marts.rpt_backtest_lead_times",
    "marts.rpt_backtest_left_out",
    "marts.rpt_backtest_quarter",
    "marts.rpt_backtest_rates",
    "marts.rpt_backtest_renewals",
    "marts.rpt_backtest_stability",
    "marts.rpt_backtest_trends",
    "marts.rpt_backtest_vintages",
)
COHORTS, RUN_COSTS = "marts.rpt_retention_cohorts", "marts.rpt_run_costs_weekly"
WEEKS, SIGNALS = "marts.rpt_health_metrics_weekly", "marts.rpt_signals_by_outcome"
FILES = {
    mart.removeprefix("marts."): mart
    for mart in (*BACKTEST, BUCKETS, WEEKS, RUN_COSTS, COHORTS, RULES, SIGNALS)
}
"""The marts that are offered as files, by the names of these."""


@dataclass(frozen=True)
class Measured:
    """What the copy and the read model drawn from it have of measurement."""

    published_db: PublishedDatabase
    read_model: ReadModel
    person: Person

    def rows(self, mart: str) -> list[Row]:
        """All of a mart."""
        return self.published_db.rows(self.person, f"-- for everyone\nselect * from {mart} order by all")

    def ask(self, name: str, **parameters: Any) -> list[Row]:
        """What a query of `queries/measured.sql` answers."""
        return self.published_db.rows(self.person, queries.load("measured")[name], **parameters)

    def columns(self) -> dict[str, list[str]]:
        """Of the marts that are there, their columns."""
        return {f"marts.{row['table_name']}": row["columns"] for row in self.ask("columns")}

    def rules(self) -> list[Row] | None:
        """The audit of rules; None where the copy has none, or too much of it."""
        rows = self.read_model.rows(self.person, queries.load("measured")["rule_audit"], name=RULES)
        audit: list[Row] | None = read(rows[0]["body"]) if rows else None
        return audit

    def weekly(self) -> list[Row]:
        """The weekly metrics of all, the oldest week first."""
        return self.ask("rpt_health_metrics_weekly", slice="all")

    def file(self, name: str, asked: Mapping[str, str]) -> tuple[Sequence[str], Sequence[Row]]:
        """Columns and rows of one of the FILES; none of what the copy does not have."""
        mart = FILES[name]
        columns = self.columns().get(mart)
        if columns is None:
            return (), []
        if mart == RULES:
            return columns, self.rules() or []
        if mart == WEEKS:
            return columns, self.weekly()
        if mart == SIGNALS:
            return columns, self.ask(name, **self.signals_asked(asked)) if self.has_few_observations() else []
        return columns, self.rows(mart)

    def has_few_observations(self) -> bool:
        """Whether signals can be counted while somebody waits."""
        return bool(self.rows("marts.rpt_backtest")[0]["observations"] <= MOST_OBSERVATIONS)

    def signals_asked(self, asked: Mapping[str, str]) -> dict[str, str]:
        """The outcome and the segment that an address names, of those that there are."""
        outcome, segment = asked.get("outcome", ""), asked.get("segment", "")
        return {
            "outcome": outcome if outcome in OUTCOMES else "churn",
            "segment": segment if segment in self.segments() else "all",
        }

    def labels(self) -> list[Row]:
        """The signals of the catalogue."""
        return self.published_db.rows(self.person, queries.load("rules")["signals"])

    def segments(self) -> list[str]:
        """What signals are divided by: all, and each segment of their accounts."""
        found = self.published_db.rows(self.person, queries.load("portfolio")["options"])
        return ["all", *(row["value"] for row in found if row["filter"] == "segment")]


def measured_of(request: Request) -> Measured:
    """What this person may see of it."""
    return Measured(published_db_of(request), request.app.state.read_model, person_of(request))


def context(measured: Measured) -> dict[str, Any]:
    """For the page Quality: the backtest, weekly metrics and the audit of rules."""
    there = measured.columns()
    has_weekly = WEEKS in there
    rules = measured.rules()
    return {
        "backtest": _backtest(measured) if there.keys() >= set(BACKTEST) else None,
        "has_weekly": has_weekly,
        "weekly": _weekly(measured) if has_weekly else [],
        "costs": _newest(measured.rows(RUN_COSTS)) if RUN_COSTS in there else [],
        "cost_labels": COSTS,
        "has_rule_audit": RULES in there,
        "audited": None if rules is None else _most_fired(rules),
        "percent": report.percent,
        "rate": report.rate,
        "interval": report.interval,
    }


def _backtest(measured: Measured) -> dict[str, Any]:
    """Sentences first, then what has a chart, the capacity curve first, then the other tables."""
    done = recorded({mart.removeprefix("marts."): measured.rows(mart) for mart in BACKTEST})
    sections = report.sections(done)
    return {
        "sentences": report.sentences(done),
        "drawn": [section for section in sections if section.chart],
        "others": [section for section in sections if not section.chart],
    }


def _weekly(measured: Measured) -> list[dict[str, Any]]:
    """Of each metric the newest week that is known, and a line of the weeks before it."""
    weeks: dict[tuple[str, int], list[Row]] = {}
    for row in measured.weekly():
        if row["value"] is not None:
            weeks.setdefault((row["metric"], row["horizon_days"]), []).append(row)
    return [
        {
            **known[-1],
            "label": label,
            "text": number(known[-1]["value"]) if metric in NUMBERS else report.percent(known[-1]["value"]),
            "interval": report.interval(report.ci(known[-1])),
            "line": charts.sparkline(
                [row["value"] for row in known[-WEEKS_SHOWN:]], 120, 28, f"{label}, week by week", low=0
            ),
        }
        for metric, label in WEEKLY.items()
        for (name, _), known in sorted(weeks.items())
        if name == metric
    ]


def _most_fired(rules: Sequence[Row]) -> list[Row]:
    """Over all dates, the rules that fired most first."""
    return sorted(
        (row for row in rules if row["period"] == "all"), key=lambda row: (-row["fired"], row["rule_id"])
    )


def _newest(rows: Sequence[Row]) -> list[Row]:
    """Of each metric the newest week, of rows by week."""
    return list({row["metric"]: row for row in rows if row["value"] is not None}.values())


def account_outcomes(shared: Mapping[str, list[Row]], health: Mapping[str, Any], fired: Sequence[str]) -> Any:
    """How accounts in this bucket, and those with the same rules, did; None where the copy does not say."""
    if BUCKETS not in shared:
        return None
    bucket = next((row for row in shared[BUCKETS] if row["bucket"] == health["model_bucket"]), None)
    rules = {
        row["rule_id"]: row
        for row in shared.get(RULES, [])
        if row["period"] == "all" and row["rule_set"] == health["rule_set"] and row["known"]
    }
    return {
        "bucket": bucket and {**bucket, "sentence": bucket_sentence(bucket)},
        "rules": [{**rules[rule], "churn_rate": rules[rule]["precision"]} for rule in fired if rule in rules],
    }


def bucket_sentence(row: Mapping[str, Any]) -> str:
    """`Of 40 accounts in this bucket 11 left within 90 days (28 %, 16 to 43).`"""
    count = counted(row["accounts"], "account")
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
    chosen = measured.signals_asked(asked)
    view = tuple(chosen.values())
    return cached_page(request, "Signals", "signals.html", view, lambda: _signals(measured, chosen))


def _signals(measured: Measured, chosen: Mapping[str, str]) -> dict[str, Any]:
    is_there = SIGNALS in measured.columns()
    if not is_there or not measured.has_few_observations():
        return {"is_there": is_there, "rows": None}
    return {
        "is_there": True,
        "rows": _by_signal(measured.ask("rpt_signals_by_outcome", **chosen), measured.labels()),
        "chosen": chosen,
        "outcomes": OUTCOMES,
        "segments": measured.segments(),
        "interval": report.interval,
        "rate": report.rate,
    }


def _by_signal(rows: Sequence[Row], labels: Sequence[Row]) -> list[dict[str, Any]]:
    """A line a signal, those that separate best first, with the rates of its outermost fifths."""
    label_of = {row["signal"]: row["label"] for row in labels}
    groups: dict[str, dict[str, Row]] = {}
    for row in rows:
        groups.setdefault(row["signal"], {})[row["group_name"]] = {**row, "churn_rate": row["rate"]}
    lines = []
    for signal, found in groups.items():
        fifths = sorted(name for name in found if name.startswith("fifth_"))
        lines.append(
            {
                **found["all"],
                "label": label_of.get(signal) or signal,
                "with_it": found.get("with_outcome"),
                "without_it": found.get("without_outcome"),
                "outermost": [found[name] for name in (fifths[0], fifths[-1])],
            }
        )
    return sorted(lines, key=lambda line: (line["auc"] is None, -abs((line["auc"] or CHANCE) - CHANCE)))


routes = [Route("/quality/signals", show_signals)]
