"""The page Quality: were scores right, do people agree, what is asked, what is open, how data arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radar.panel import charts, queries
from radar.panel.page_cache import cached_page
from radar.panel.pages import measured
from radar.panel.people import Person
from radar.panel.published_db import About, EarlierCopyError, NoDataError, PublishedDatabase, Row
from radar.panel.web import csv_answer, number, person_of, published_db_of

REFUSED_ROWS = 20
COLUMN_ROWS = 50
DAYS_SHOWN = 91
_ALL = 1_000_000
_CSV: Mapping[str, tuple[str, ...]] = {
    "agreement": (
        "period", "asked", "answered", "agreed", "disagreed", "agreed_pct", "disagreed_pct", "is_over_limit",
    ),
    "weeks": ("iso_week", "accounts", "overrides", "tasks", "tasks_per_100_accounts"),
    "decisions": ("as_of_date", "accounts", "undecided", "conflict", "overridden", "coverage_pct"),
    "feeds": ("feed", "state", "last_arrived_at", "max_age_days", "signals"),
    "coverage": (
        "feed", "rows_total", "rows_resolved", "rows_resolved_pct", "users_total", "users_resolved",
        "users_resolved_pct", "ids_total", "ids_resolved", "ids_resolved_pct", "largest_unresolved",
    ),
    "refused": (
        "feed", "source_file", "rule", "column_name", "refused", "refused_rows", "first_row_number",
        "batch_id", "refused_at",
    ),
    "columns": (
        "feed", "column_name", "finding", "nearest_name", "source_file", "files", "is_in_newest_files",
        "first_found_at", "last_found_at",
    ),
    "schema_changes": (
        "feed", "column_name", "change", "nearest_name", "source_file", "files", "refused_values",
        "batch_id", "is_current", "first_found_at", "last_found_at",
    ),
    "excluded": (
        "seed_row", "kind", "reason", "accounts", "users", "events", "contacts", "records", "is_unmatched",
    ),
    "lookalike_ids": (
        "feed", "column_name", "other_feed", "other_column_name", "ids", "id_rows", "examples", "what_to_do",
    ),
    "unknown_amounts": (
        "feed", "currency", "amounts", "amount", "first_date", "last_date", "what_to_do",
    ),
    "checks": ("feed", "checked_at", "passed", "critical", "others"),
    "runs": (
        "run_id", "started_at", "as_of_start", "as_of_end", "status", "seconds", "files", "bytes",
        "rows_landed", "rows_rejected",
    ),
}  # fmt: skip

FEED_STATES = {
    "known": ("good", "known"),
    "stale": ("middling", "stale: no file in time"),
    "held": ("bad", "blocked by its checks"),
    "never_landed": ("middling", "never landed"),
    "not_used": ("", "not used"),
}
COLUMN_FINDINGS = {
    "misnamed": ("middling", "seems misnamed"),
    "gone": ("middling", "no longer there"),
    "unknown": ("", "not known, set aside"),
}
SCHEMA_CHANGES = {
    "missing_required_column": ("bad", "missing, the file is refused"),
    "changed_type": ("middling", "values of another type"),
    "renamed_column": ("middling", "seems renamed"),
    "missing_optional_column": ("middling", "no longer there"),
    "new_value": ("middling", "words that are new"),
    "new_column": ("", "new, kept and read by nothing"),
}
RUN_STATES = {"done": "good", "held": "middling", "partial": "middling", "failed": "bad"}
OUTCOMES = {
    "person": "the person was right",
    "model": "the rules were right",
    "both": "both were right",
    "neither": "neither was right",
    "open": "not known yet",
    "not_told": "never recorded next to the rules",
}


@dataclass(frozen=True)
class _Data:
    published_db: PublishedDatabase
    person: Person
    about: About

    def ask(self, name: str, **parameters: Any) -> list[Row]:
        return self.published_db.rows(self.person, queries.load("quality")[name], **parameters)

    def part(self, name: str) -> list[Row]:
        """The rows of a file of the page."""
        if name == "decisions":
            return self.ask(name, since=self.about.as_of - timedelta(days=DAYS_SHOWN))
        if name == "columns" and not self.ask("has_column_findings")[0]["is_there"]:
            return []  # a copy of an earlier release
        if name == "schema_changes" and not self.ask("has_schema_changes")[0]["is_there"]:
            return []
        if name in ("excluded", "lookalike_ids", "unknown_amounts"):
            try:
                return self.ask(name)
            except EarlierCopyError:
                return []
        return self.ask(name, rows=_ALL) if name == "refused" else self.ask(name)

    def coverage(self) -> list[Row] | None:
        """How much of each feed finds its account; None where the copy is of an earlier release."""
        try:
            return self.part("coverage")
        except EarlierCopyError:
            return None


def show(request: Request) -> Response:
    """The page, or one part of it as a file."""
    about = request.state.about
    if about is None:
        raise NoDataError
    data = _Data(published_db_of(request), person_of(request), about)
    part = request.query_params.get("part", "weeks")
    outcomes = measured.measured_of(request)
    if request.query_params.get("format") == "csv":
        if part in measured.FILES:
            found = outcomes.file(part, request.query_params)
            return csv_answer(f"radar_{part}_{about.as_of}.csv", *found)
        part = part if part in _CSV else "weeks"
        return csv_answer(f"radar_{part}_{about.as_of}.csv", _CSV[part], data.part(part))
    drawn = outcomes.read_model.about().version  # the audit of rules is that of the read model
    return cached_page(
        request, "Quality", "quality.html", drawn, lambda: {**_context(data), **measured.context(outcomes)}
    )


def _context(data: _Data) -> dict[str, Any]:
    decisions, weeks, agreement = data.part("decisions"), data.part("weeks"), data.part("agreement")
    checks, has_outreach = data.part("checks"), data.ask("has_outreach")[0]["is_there"]
    has_rule_checks = data.ask("has_rule_checks")[0]["is_there"]
    columns, changes = data.part("columns"), data.part("schema_changes")
    newest = decisions[-1] if decisions else None
    return {
        "overall": next((row for row in agreement if row["period"] == "overall"), None),
        "agreement": [row for row in agreement if row["period"] != "overall"],
        "findings": data.ask("findings") if has_rule_checks else [],
        "rules_off": data.ask("rules_off") if has_rule_checks else [],
        "marked": data.ask("marked"),
        "overrides": data.ask("overrides"),
        "outcome_labels": OUTCOMES,
        "weeks": weeks,
        "newest_week": weeks[0] if weeks else None,
        "tasks_line": _line(
            weeks[::-1], lambda row: row["tasks_per_100_accounts"], "Week by week, tasks per 100 accounts"
        ),
        "overrides_line": _line(weeks[::-1], lambda row: row["overrides"], "Week by week, overrides"),
        "has_outreach": has_outreach,
        "outreach": data.ask("outreach") if has_outreach else [],
        "newest": newest,
        "open_line": _line(
            decisions,
            lambda row: 100 * (row["undecided"] + row["conflict"]) / row["accounts"],
            "Share of accounts that are not decided, day by day",
        ),
        "coverage_line": _line(decisions, lambda row: row["coverage_pct"], "Day by day, coverage"),
        "why": data.ask("why"),
        "feeds": data.part("feeds"),
        "coverage": data.coverage(),
        "feed_states": FEED_STATES,
        "refused": data.ask("refused", rows=REFUSED_ROWS),
        "refused_totals": {row["refused"]: row["refused_rows"] for row in data.ask("refused_totals")},
        "refused_files": data.ask("refused_files")[0]["files"],
        "all_columns": len(columns),
        "columns": [row for row in columns if row["is_in_newest_files"]][:COLUMN_ROWS],
        "column_findings": COLUMN_FINDINGS,
        "all_changes": len(changes),
        "changes": [row for row in changes if row["is_current"]][:COLUMN_ROWS],
        "schema_changes": SCHEMA_CHANGES,
        "excluded": data.part("excluded"),
        "lookalike_ids": data.part("lookalike_ids"),
        "unknown_amounts": data.part("unknown_amounts"),
        "checks": checks,
        "passed": sum(row["passed"] for row in checks),
        "failed": sum(row["critical"] + row["others"] for row in checks),
        "failures": data.ask("failures"),
        "runs": data.part("runs"),
        "run_states": RUN_STATES,
        "this_run": data.ask("this_run", run_id=data.about.run_id)[0],
        "copy_bytes": data.published_db.file.stat().st_size,
        "shadows": data.ask("shadows"),
        "holdouts": data.ask("holdouts"),
        "size": size,
        "duration": duration,
    }


def _line(rows: list[Row], value: Callable[[Row], Any], label: str) -> Any:
    """A sparkline from zero on, with its first and last number in the label."""
    points = [None if (found := value(row)) is None else float(found) for row in rows]
    known = [point for point in points if point is not None]
    if known:
        label = f"{label}: from {number(known[0])} to {number(known[-1])}"
    return charts.sparkline(points, 150, 32, label, low=0)


def size(count: float | None) -> str:
    """`1.2 MB`; bytes in powers of 1,000."""
    value = float(count or 0)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float | None) -> str:
    """`42 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


routes = [Route("/quality", show)]
